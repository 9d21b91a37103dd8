import { decodeHalf, encodeHalf } from './halfFloat.ts'

/** A tensor of onnxruntime-common 1.30. */
export interface RuntimeTensor {
  type: string
  data: ArrayLike<number>
  dims: readonly number[]
  location: string
}
type TensorClass = new (type: string, data: ArrayLike<number>, dims: readonly number[]) => RuntimeTensor

/** An input or output of a graph; its type is an ONNX element type. */
interface Slot {
  name: string
  type?: string
}
/** A session of onnxruntime-common 1.30. */
export interface RuntimeSession {
  inputMetadata: readonly Slot[]
  outputMetadata: readonly Slot[]
  run(feeds: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>
}

/**
 * The halves that float outputs were: what goes from one graph into another, as an encoder's states into every step of a decoder, is
 * not converted again. Nobody writes into such an output.
 */
const halves = new WeakMap<RuntimeTensor, RuntimeTensor>()

/**
 * The session with float32 in the place of float16, in and out: processors of images and audio give float32, and what reads outputs
 * would take half-precision bits for whole numbers (Node 22) or round each step to halves (Node 24). A session without float16 is
 * given back as it is.
 * @param staysHalf names outputs that are given as they are, as those that only go back in
 */
export function toFloatSession<Session extends RuntimeSession>(session: Session, staysHalf: (output: string) => boolean = () => false): Session {
  if (![...session.inputMetadata, ...session.outputMetadata].some(({ type }) => type === 'float16')) return session
  const halfInputs = new Set(session.inputMetadata.filter(({ type }) => type === 'float16').map(({ name }) => name))
  const run: RuntimeSession['run'] = async (feeds) => {
    const results = await session.run(mapTensors(feeds, (tensor, name) => (halfInputs.has(name) ? toHalfTensor(tensor) : tensor)))
    return mapTensors(results, (tensor, name) => (staysHalf(name) ? tensor : toFloatTensor(tensor)))
  }
  return Object.assign(Object.create(session) as Session, { run })
}

function mapTensors(tensors: Record<string, RuntimeTensor>, map: (tensor: RuntimeTensor, name: string) => RuntimeTensor): Record<string, RuntimeTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, map(tensor, name)]))
}

function toHalfTensor(tensor: RuntimeTensor): RuntimeTensor {
  if (tensor.location === 'gpu-buffer') return tensor
  if (tensor.type === 'float16') return createHalfTensor(tensor, readBits(tensor))
  return tensor.type === 'float32' ? (halves.get(tensor) ?? createHalfTensor(tensor, encodeHalf(tensor.data))) : tensor
}

function toFloatTensor(tensor: RuntimeTensor): RuntimeTensor {
  if (tensor.type !== 'float16' || tensor.location === 'gpu-buffer') return tensor
  const bits = readBits(tensor)
  const float = new (getTensorClass(tensor))('float32', decodeHalf(bits), tensor.dims)
  halves.set(float, createHalfTensor(tensor, bits))
  return float
}

/** The bits of a float16 tensor: a Float16Array where there is one, else a Uint16Array. */
function readBits({ data }: RuntimeTensor): Uint16Array {
  const { buffer, byteOffset, length } = data as Uint16Array
  return new Uint16Array(buffer, byteOffset, length)
}

function createHalfTensor(like: RuntimeTensor, bits: Uint16Array): RuntimeTensor {
  const tensor = new (getTensorClass(like))('float16', bits, like.dims)
  // The runtime's library turns half bits into a Float16Array where there is one, and its native part then reads 0 bytes
  // (microsoft/onnxruntime#32323, version 1.30): the bits themselves are what it takes.
  return Object.assign(tensor, { cpuData: bits })
}

/** The library's own class: another copy's tensors are refused. */
function getTensorClass(tensor: RuntimeTensor): TensorClass {
  return tensor.constructor as TensorClass
}
