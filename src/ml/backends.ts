/** A Python package that runs models. */
export interface PythonPackage {
  /** Name in the registry. */
  readonly package: string;
  readonly import: string;
  /** The oldest version that goes. */
  readonly least: string;
}

interface BackendFacts {
  /** Ending of its models' files. */
  readonly extension: string;
  /** True if it has to be told the names of a model's inputs and outputs: the file does not say them. */
  readonly needsNames: boolean;
  /** True if requests to its models can be run together. */
  readonly batches: boolean;
  /** Package that runs its models in a worker process. The worker takes others with the same interface, too (`frameworks.py`). */
  readonly worker: PythonPackage;
  /** True if a store runs its models on CPUs without Python. */
  readonly isBuiltIn: boolean;
}

/** Frameworks that ML models are made with, by their names on the wire. */
export const backends = {
  ONNX: {
    extension: '.onnx',
    needsNames: false,
    batches: true,
    worker: { package: 'onnxruntime', import: 'onnxruntime', least: '1.10' },
    isBuiltIn: true,
  },
  TORCH: {
    extension: '.pt',
    needsNames: false,
    batches: true,
    worker: { package: 'torch', import: 'torch', least: '1.11' },
    isBuiltIn: false,
  },
  TF: {
    extension: '.pb',
    needsNames: true,
    batches: true,
    worker: { package: 'tensorflow', import: 'tensorflow', least: '2.4' },
    isBuiltIn: false,
  },
  TFLITE: {
    extension: '.tflite',
    needsNames: false,
    batches: false,
    worker: { package: 'ai-edge-litert', import: 'ai_edge_litert', least: '1.0' },
    isBuiltIn: false,
  },
} as const satisfies Readonly<Record<string, BackendFacts>>;

/** Name of a backend. */
export type BackendName = keyof typeof backends;

/** Names of the backends whose entry in the table has this value. */
type BackendsWhere<Fact extends keyof BackendFacts, Value> = {
  [Name in BackendName]: (typeof backends)[Name][Fact] extends Value ? Name : never;
}[BackendName];

/** Backends that are told the names of a model's inputs and outputs; others know them. */
export type NamedBackend = BackendsWhere<'needsNames', true>;

/** Names of all backends. */
export const backendNames = Object.keys(backends) as [BackendName, ...BackendName[]];

/** The backend that a text names, if it does. */
export function asBackend(text: string): BackendName | undefined {
  return Object.hasOwn(backends, text) ? (text as BackendName) : undefined;
}
