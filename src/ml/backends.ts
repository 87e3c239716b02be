interface BackendFacts {
  /** Ending of its models' files. */
  readonly extension: string;
  /** True if it has to be told the names of a model's inputs and outputs: the file does not say them. */
  readonly needsNames: boolean;
  /** True if requests to its models can be run together. */
  readonly batches: boolean;
  /** True if stores of this version run its models. */
  readonly isAvailable: boolean;
}

/** Frameworks that ML models are made with, by their names on the wire. */
export const backends = {
  ONNX: { extension: '.onnx', needsNames: false, batches: true, isAvailable: true },
  TORCH: { extension: '.pt', needsNames: false, batches: true, isAvailable: false },
  TF: { extension: '.pb', needsNames: true, batches: true, isAvailable: false },
  TFLITE: { extension: '.tflite', needsNames: false, batches: false, isAvailable: false },
} as const satisfies Readonly<Record<string, BackendFacts>>;

/** Name of a backend. */
export type BackendName = keyof typeof backends;

/** Names of the backends whose entry in the table has this value. */
type BackendsWhere<Fact extends keyof BackendFacts, Value> = {
  [Name in BackendName]: (typeof backends)[Name][Fact] extends Value ? Name : never;
}[BackendName];

/** Backends whose models the stores of this version run. */
export type AvailableBackend = BackendsWhere<'isAvailable', true>;

/** Backends that are told the names of a model's inputs and outputs; others know them. */
export type NamedBackend = BackendsWhere<'needsNames', true>;

/** Names of all backends. */
export const backendNames = Object.keys(backends) as [BackendName, ...BackendName[]];

/** The backend that a text names, if it does. */
export function asBackend(text: string): BackendName | undefined {
  return Object.hasOwn(backends, text) ? (text as BackendName) : undefined;
}
