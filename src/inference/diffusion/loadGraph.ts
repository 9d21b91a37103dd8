import { createRequire } from 'node:module'
import type { DeviceName } from '../../domain/enginePort.ts'
import { sessionOptions } from '../loadModel.ts'
import { type RuntimeSession, type RuntimeTensor, toFloatSession } from '../toFloatSession.ts'

/** Numbers in row-major order. */
export interface NumberTensor {
  data: ArrayLike<number>
  shape: readonly number[]
}

export interface GraphInput {
  name: string
  /** ONNX element type */
  type: string
  /** a size, or the name of one that is free */
  shape: readonly (number | string)[]
}

/** An ONNX graph on its device. */
export interface Graph {
  /** by name, in the graph's order */
  inputs: ReadonlyMap<string, GraphInput>
  /** Outputs by name, in the graph's order. Inputs are converted to the types that the graph asks for. @throws what the runtime throws */
  run(inputs: Record<string, NumberTensor>): Promise<Map<string, { data: Float32Array; shape: number[] }>>
  release(): Promise<void>
}

interface Session extends RuntimeSession {
  inputMetadata: readonly GraphInput[]
  outputNames: readonly string[]
  release(): Promise<void>
}
interface Runtime {
  InferenceSession: { create(path: string, options: Record<string, unknown>): Promise<Session> }
  Tensor: new (type: string, data: unknown, dims: readonly number[]) => RuntimeTensor
}

const encoders: Record<string, (values: ArrayLike<number>) => unknown> = {
  float32: (values) => (values instanceof Float32Array ? values : Float32Array.from(values)),
  float64: (values) => Float64Array.from(values),
  int32: (values) => Int32Array.from(values, Math.round),
  int64: (values) => BigInt64Array.from(Array.from(values, (value) => BigInt(Math.round(value)))),
}

/** The graph at `path`, loaded; its external data lies beside it. @throws what the runtime throws */
export async function loadGraph(path: string, device: DeviceName): Promise<Graph> {
  // transformers.js' own copy of the runtime: two versions in one process would load two native libraries of one name.
  const require = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'))
  const runtime = require('onnxruntime-node') as Runtime
  const session = toFloatSession(await runtime.InferenceSession.create(path, { ...sessionOptions, executionProviders: [device], logSeverityLevel: 4 }))
  const inputs = new Map(session.inputMetadata.map((input) => [input.name, input]))
  const toRuntimeTensor = (name: string, { data, shape }: NumberTensor) => {
    const graphType = inputs.get(name)?.type ?? 'float32'
    const type = graphType === 'float16' ? 'float32' : graphType
    const encode = encoders[type]
    if (encode === undefined) throw new TypeError(`its input ${name} is of type ${type}`)
    return new runtime.Tensor(type, encode(data), shape)
  }
  return {
    inputs,
    run: async (feeds) => {
      const results = await session.run(Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toRuntimeTensor(name, tensor)])))
      return new Map(session.outputNames.map((name) => [name, toNumbers(results[name] as RuntimeTensor)]))
    },
    release: () => session.release(),
  }
}

function toNumbers({ data, dims }: RuntimeTensor): { data: Float32Array; shape: number[] } {
  return { data: data instanceof Float32Array ? data : Float32Array.from(data), shape: [...dims] }
}
