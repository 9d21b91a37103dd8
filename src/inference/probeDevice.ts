/**
 * A process of its own that tries a device: `probeDevice webgpu` multiplies two matrices on it, in half precision too, and on the CPU and
 * prints one line of JSON. It may die of a driver; that is why it is alone.
 */
import { createRequire } from 'node:module'

interface Runtime {
  InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> }
  Tensor: new (type: 'float32', data: Float32Array, dims: number[]) => unknown
}
interface Session {
  run(feeds: Record<string, unknown>): Promise<{ c: { data: Float32Array } }>
}

/** What the probe found; `half`: it computes in float16 too. */
export type ProbeReport = { ok: true; deviceMs: number; cpuMs: number; half: boolean } | { ok: false; reason: string }

// ONNX graph c = MatMul(a, b) over float32[n, n], IR 8, opset 13: 103 bytes of protobuf.
const graph = Buffer.from(
  'CAg6XwoRCgFhCgFiEgFjIgZNYXRNdWwSBXByb2JlWhUKAWESEAoOCAESCgoDEgFuCgMSAW5aFQoBYhIQCg4IARIKCgMSAW4KAxIBbmIVCgFjEhAKDggBEgoKAxIBbgoDEgFuQgIQDQ==',
  'base64',
)
// The same with both inputs cast to float16 and the product cast back, opset 17: 190 bytes.
const halfGraph = Buffer.from(
  'CAg6tQEKGgoBYRIBeBoBeCIEQ2FzdCoJCgJ0bxgKoAECChoKAWISAXkaAXkiBENhc3QqCQoCdG8YCqABAgoUCgF4CgF5EgF6GgF6IgZNYXRNdWwKGgoBehIBYxoBYyIEQ2FzdCoJCgJ0bxgBoAECEgR0ZXN0WhUKAWESEAoOCAESCgoDEgFuCgMSAW5aFQoBYhIQCg4IARIKCgMSAW4KAxIBbmIVCgFjEhAKDggBEgoKAxIBbgoDEgFuQgIQEQ==',
  'base64',
)
/** 2 × 512³ = 0.27 GFLOP: long enough to tell a GPU from a software adapter, short enough for one */
const size = 512

/** Milliseconds of one product on the device, after a warm-up that also compiles shaders. */
async function measureDevice(runtime: Runtime, device: string, model = graph): Promise<number> {
  // Without the last option the runtime puts a node that a provider refuses on the CPU without a word: the measure would be the CPU's.
  const onlyThere = device === 'cpu' ? {} : { extra: { session: { disable_cpu_ep_fallback: '1' } } }
  const session = await runtime.InferenceSession.create(model, { executionProviders: [device], logSeverityLevel: 4, ...onlyThere })
  const ones = new runtime.Tensor('float32', new Float32Array(size * size).fill(1), [size, size])
  const first = await session.run({ a: ones, b: ones })
  if (first.c.data[0] !== size) throw new Error(`it computes ${first.c.data[0]} where ${size} is right`)
  const startedAt = performance.now()
  await session.run({ a: ones, b: ones })
  return performance.now() - startedAt
}

async function probe(device: string): Promise<ProbeReport> {
  try {
    // transformers.js' own copy of the runtime: the one models will run on.
    const require = createRequire(createRequire(import.meta.url).resolve('@huggingface/transformers'))
    const runtime = require('onnxruntime-node') as Runtime
    const deviceMs = await measureDevice(runtime, device)
    // Of adapters without the feature shader-f16, the runtime refuses every program that needs it.
    const half = await measureDevice(runtime, device, halfGraph).then(
      () => true,
      () => false,
    )
    return { ok: true, deviceMs, cpuMs: await measureDevice(runtime, 'cpu'), half }
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

process.stdout.write(`${JSON.stringify(await probe(process.argv[2] ?? 'cpu'))}\n`)
