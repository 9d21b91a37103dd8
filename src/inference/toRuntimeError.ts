import { type CuckooError, isError } from '../errors/cuckooError.ts'
import { inferenceOutOfMemory } from '../errors/inference.ts'

/**
 * What the runtime and its drivers say when memory is not to be had. onnxruntime-node 1.30.0 throws plain errors without a code
 * (its binding copies OrtGetErrorMessage, and a failed allocation is ORT_FAIL or ORT_RUNTIME_EXCEPTION like everything else;
 * microsoft/onnxruntime issue 16307), so this is the one place in cuckoo that reads an error's text. What is not recognised stays
 * the failed run that it is.
 */
const allocationFailures = [
  // onnxruntime/core/framework/bfc_arena.cc: the arenas of CPU, CUDA and DirectML
  'Failed to allocate memory for requested buffer of size',
  'is smaller than requested bytes of',
  // C++ `new`, and sizes that overflow size_t (core/common/safeint.h, tensor.cc)
  'bad_alloc',
  'bad allocation',
  // cudaErrorMemoryAllocation is error 2 (providers/cuda/cuda_call.cc), and what cuBLAS and cuDNN call it
  'CUDA failure 2:',
  'CUBLAS_STATUS_ALLOC_FAILED',
  'CUDNN_STATUS_ALLOC_FAILED',
  // WebGPU (providers/webgpu/webgpu_context.cc: error type 2 is wgpu::ErrorType::OutOfMemory) over Vulkan and Direct3D
  'WebGPU device error(2)',
  'WebGPU device lost',
  'VK_ERROR_OUT_OF_DEVICE_MEMORY',
  'VK_ERROR_OUT_OF_HOST_MEMORY',
  'E_OUTOFMEMORY',
  '8007000E',
  // V8: a tensor's own buffer
  'Array buffer allocation failed',
]

/** Node's code of a worker whose JavaScript heap is full. */
const workerOutOfMemory = 'ERR_WORKER_OUT_OF_MEMORY'

/** True for CUCKOO_INFERENCE_OUT_OF_MEMORY. */
export function isOutOfMemory(error: unknown): error is CuckooError {
  return isError(error, inferenceOutOfMemory)
}

/** CUCKOO_INFERENCE_OUT_OF_MEMORY where `error`, or what caused it, is an allocation that failed; else `error` itself. */
export function toRuntimeError(error: unknown, facts: { model: string; device: string }): unknown {
  if (isOutOfMemory(error)) return error
  // The root first: what wraps it quotes it cut short.
  for (const cause of listCauses(error).reverse()) {
    const { message, code } = cause as Error & { code?: unknown }
    if (code === workerOutOfMemory) return inferenceOutOfMemory({ ...facts, reason: "its worker's heap is full" }, { cause: error })
    const found = allocationFailures.find((text) => message.includes(text))
    if (found !== undefined) return inferenceOutOfMemory({ ...facts, reason: toReason(message, found) }, { cause: error })
  }
  return error
}

/** `error` and what caused it, the root last. */
function listCauses(error: unknown): Error[] {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < 8; cause = cause.cause) causes.push(cause)
  return causes
}

/** From the words that were recognised to the end of their line: paths of the runtime's sources come before. */
function toReason(message: string, found: string): string {
  return (message.slice(message.indexOf(found)).split('\n')[0] ?? '').trim().replace(/\.$/, '').slice(0, 200)
}
