import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The endpoints of EC2's instance metadata service that the app reads, for one server. */
export interface InstanceMetadata {
  /** For `AWS_EC2_METADATA_SERVICE_ENDPOINT`. */
  readonly url: string;
  /**
   * Publishes a spot interruption notice.
   *
   * @param at time of the termination
   * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
   */
  sendSpotNotice(at: Date): void;
  close(): void;
}

export async function startInstanceMetadata(): Promise<InstanceMetadata> {
  let notice: string | undefined;
  const server = createServer((request, response) => {
    const call = `${request.method} ${request.url}`;
    if (call === 'PUT /latest/api/token') response.end('token');
    else if (call === 'GET /latest/meta-data/spot/instance-action' && notice) response.end(notice);
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
