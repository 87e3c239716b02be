/** Names that a workflow can call: for hints where one is not there. */
export const vocabulary = {
  /** Exports of the package. */
  exports: [
    ...['experiment', 'command', 'mlFile', 'mlBytes', 'scriptFile', 'scriptText', 'apptainer', 'fromEnvironment'],
    ...['defineSite', 'cat', 'maximum', 'minimum', 'onesLike', 'stack', 'where', 'zerosLike', 'WorkflowError'],
  ],
  /** Methods of what `experiment()` returns. */
  experiment: [
    ...['model', 'ensemble', 'orchestrator', 'rayCluster', 'batch', 'requires', 'setup', 'sharesNodesWith', 'replicas'],
    ...['addModel', 'params', 'attach', 'colocate', 'addMlModel', 'addScript', 'addFunction', 'enableKeyPrefixing'],
    ...['disableKeyPrefixing', 'registerIncomingEntity', 'after', 'usesRay', 'apply'],
  ],
  /** Methods of what `command()` returns. */
  command: [
    ...['tasks', 'nodes', 'tasksPerNode', 'cpusPerTask', 'gpusPerTask', 'gpusPerNode', 'memoryPerNode', 'walltime'],
    ...['env', 'hosts', 'excludeHosts', 'cpuBind', 'launcher', 'launcherArgs', 'mpmd', 'container'],
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
