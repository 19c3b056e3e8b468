/** What an AWS SDK call lacked to be sent at all, by the error that it ended with. */
export function missingAwsSetting(error: unknown): 'region' | 'credentials' | undefined {
  const { name, message } = error as Error;
  if (/^Region is missing/.test(message)) return 'region';
  return name === 'CredentialsProviderError' ? 'credentials' : undefined;
}
