export type { Gpus, Names } from './calls/models.js';
export type { ServerInfo } from './calls/servers.js';
export type { PollOptions } from './calls/tensors.js';
export { Client, type ConnectOptions } from './client.js';
export { ClientError } from './client-error.js';
export { Dataset } from './dataset.js';
export type { MetaType } from './metadata.js';
export type { ModelBackend, ModelOptions, MultiGpuModelOptions } from './model.js';
export { type Dtype, type DtypeOf, type Tensor, type TensorArrays, type TensorOf, tensor } from './tensor.js';
