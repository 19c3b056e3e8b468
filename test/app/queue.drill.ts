import { describeWith } from '../support/needs';
import { QueueTestBed } from '../support/queue';

describeWith('moto server', 'with a queue', () => {
  let queues: QueueTestBed;

  beforeAll(async () => {
    queues = await QueueTestBed.open();
  });

  afterAll(() => queues?.close());

  test('each of 500 jobs takes effect exactly once while workers are continuously killed', async () => {
    expect(await queues.killWorkersDuring(500, 0.05)).toBeGreaterThan(3);
  });
});
