import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** EC2's instance metadata service of one server, as far as the app asks it. */
export interface InstanceMetadata {
  /** For `AWS_EC2_METADATA_SERVICE_ENDPOINT`. */
  readonly url: string;
  /**
   * From now on it tells that EC2 takes the instance back.
   *
   * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
   */
  sendSpotNotice(at: Date): void;
  close(): void;
}

export async function startInstanceMetadata(): Promise<InstanceMetadata> {
  let notice: string | undefined;
  const server = createServer((request, response) => {
    const asks = `${request.method} ${request.url}`;
    if (asks === 'PUT /latest/api/token') response.end('token');
    else if (asks === 'GET /latest/meta-data/spot/instance-action' && notice) response.end(notice);
    else response.writeHead(404).end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sendSpotNotice: (at) => {
      notice = JSON.stringify({ action: 'terminate', time: `${at.toISOString().slice(0, 19)}Z` });
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
