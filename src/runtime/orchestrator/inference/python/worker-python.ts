import type { BackendName } from '../../../../ml/backends.js';
import { InferenceError } from '../inference-error.js';
import { lacksFramework, type Probe, probePython, pythonAsked, pythonPath } from './probe.js';

/** The Python that workers run in, asked once what it has. */
export class WorkerPython {
  readonly #given: string | undefined;
  readonly #log: (message: string) => void;
  #probe: Promise<Probe> | undefined;
  #path: string | undefined;

  /** `given` is its name or path, by default as {@link pythonAsked} says. */
  constructor(given: string | undefined, log: (message: string) => void) {
    this.#given = given;
    this.#log = log;
  }

  /** Its path, once it has answered. */
  get path(): string {
    return this.#path ?? pythonAsked(this.#given);
  }

  /** Packages that it has. Rejects with InferenceError if there is none that answers; the next call tries again. */
  probe(): Promise<Probe> {
    this.#probe ??= this.#ask().catch((error: unknown) => {
      this.#probe = undefined;
      const why = error instanceof Error ? error.message : String(error);
      throw new InferenceError('backend', `${why} (python of the site, --python, $SIMWRIGHT_PYTHON)`);
    });
    return this.#probe;
  }

  async has(backend: BackendName): Promise<boolean> {
    try {
      return (await this.probe()).frameworks[backend] !== null;
    } catch {
      return false;
    }
  }

  /** @throws InferenceError if it lacks the backend's framework */
  async need(backend: BackendName): Promise<void> {
    const { frameworks, numpy } = await this.probe();
    if (frameworks[backend] === null) {
      // It may be installed by the time of the next call.
      this.#probe = undefined;
      throw new InferenceError('backend', lacksFramework(backend, this.path));
    }
    if (numpy === null) throw new InferenceError('backend', `workers need numpy in ${this.path}, which has none`);
  }

  async #ask(): Promise<Probe> {
    const path = pythonPath(this.#given);
    if (path === undefined) {
      throw new Error(`workers need Python ≥ 3.8, and there is no program ${pythonAsked(this.#given)}`);
    }
    const probe = await probePython(path);
    this.#path = path;
    const found = Object.values(probe.frameworks).flatMap((one) =>
      one === null ? [] : [`${one.package} ${one.version}`],
    );
    this.#log(`workers run in ${path} (Python ${probe.version}) with ${found.join(', ') || 'no framework'}`);
    return probe;
  }
}
