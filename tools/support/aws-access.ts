/** Returns the setting whose absence made an AWS SDK call fail, or undefined for other errors. */
export function missingAwsSetting(error: unknown): 'region' | 'credentials' | undefined {
  const { name, message } = error as Error;
  if (/^Region is missing/.test(message)) return 'region';
  return name === 'CredentialsProviderError' ? 'credentials' : undefined;
}
