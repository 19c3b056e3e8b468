import type { ShopProcess } from '../programs/shop-process';

/** Restarts the app's process after a kill, like systemd on the instance. */
export class SupervisedShop {
  /** Resolves to the exit code when the app exits unexpectedly, or null after a signal. */
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

  /** Current process. */
  get process(): ShopProcess {
    return this.shop;
  }

  /** Kills the app with SIGKILL and restarts it. Resolves when it is ready. Concurrent calls share one restart. */
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
