import type { GraphValue } from '../onnx/graph.js';
import type { TensorDtype } from '../onnx/tensor-types.js';

/** A tensor that shows a part of another one, or the same elements in another shape. */
interface View {
  readonly of: Tensor;
  /** The elements shown, of a value of the other tensor. */
  readonly read: (whole: GraphValue) => GraphValue;
  /** The other tensor's value with other elements shown; undefined if nothing can be written through it. */
  readonly write: ((whole: GraphValue, shown: GraphValue) => GraphValue) | undefined;
}

/** A tensor of a script. What is assigned to it is seen through all its views, and what is assigned to a view is seen in it. */
export class Tensor {
  #value: GraphValue;
  /** Value of the viewed tensor that `#value` was read from. */
  #readFrom: GraphValue | undefined;
  readonly #view: View | undefined;

  constructor(value: GraphValue, view?: View) {
    this.#value = value;
    this.#view = view;
    this.#readFrom = view?.of.value;
  }

  /** The elements as they are now. */
  get value(): GraphValue {
    if (this.#view !== undefined) {
      const whole = this.#view.of.value;
      if (whole !== this.#readFrom) {
        this.#value = this.#view.read(whole);
        this.#readFrom = whole;
      }
    }
    return this.#value;
  }

  get dtype(): TensorDtype {
    return this.#value.dtype;
  }

  get shape(): readonly number[] {
    return this.#value.shape;
  }

  get rank(): number {
    return this.#value.shape.length;
  }

  /** True if elements can be assigned. */
  get isWritable(): boolean {
    return this.#view === undefined || (this.#view.write !== undefined && this.#view.of.isWritable);
  }

  /** Replaces all elements by those of a value of the same type and shape. */
  assign(value: GraphValue): void {
    if (this.#view === undefined) {
      this.#value = value;
      return;
    }
    const { of, write } = this.#view;
    if (write !== undefined) of.assign(write(of.value, value));
  }

  /** A view of it. */
  view(read: View['read'], write?: View['write']): Tensor {
    return new Tensor(read(this.value), { of: this, read, write });
  }
}
