export { Client, type ConnectOptions, type PollOptions } from './client.js';
export { ClientError } from './client-error.js';
export type { ModelBackend, ModelOptions, MultiGpuModelOptions } from './model.js';
export { type Dtype, type DtypeOf, type Tensor, type TensorArrays, type TensorOf, tensor } from './tensor.js';
