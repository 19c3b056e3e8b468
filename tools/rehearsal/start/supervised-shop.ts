import type { ShopProcess } from '../programs/shop-process';

/** The app as a process that can be killed and comes back, as under systemd on the box. */
export class SupervisedShop {
  /** Settles when the app ends by itself: with its exit code, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  #end: (code: number | null) => void = () => {};
  #restarting: Promise<void> | undefined;

  private constructor(
    private shop: ShopProcess,
    private readonly launch: () => Promise<ShopProcess>,
  ) {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#watch();
  }

  static async start(launch: () => Promise<ShopProcess>): Promise<SupervisedShop> {
    return new SupervisedShop(await launch(), launch);
  }

  /** As it runs now. */
  get process(): ShopProcess {
    return this.shop;
  }

  /** SIGKILL, and a start anew. Resolves when it is ready; while that is being done, there is no second time. */
  restart(): Promise<void> {
    this.#restarting ??= this.#again().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  async stop(): Promise<void> {
    await this.#restarting?.catch(() => {});
    await this.shop.stop();
  }

  async #again(): Promise<void> {
    process.kill(this.shop.pid, 'SIGKILL');
    const code = await this.shop.exited;
    try {
      this.shop = await this.launch();
      this.#watch();
    } catch (error) {
      this.#end(code);
      throw error;
    }
  }

  #watch(): void {
    void this.shop.exited.then((code) => {
      if (this.#restarting === undefined) this.#end(code);
    });
  }
}
