import { posix } from 'node:path'
import type { Hash } from '../domain/hex.ts'
import { type Dtype, dtypes, type Manifest, type ManifestFile } from '../domain/manifest.ts'
import { dtypeMissing, modelFileInvalid, modelUnsupported } from '../errors/inference.ts'
import { findModelFile, getModelFile, hashFile, type ModelFolder, readJsonFile } from './modelFolder.ts'
import { type OnnxGraph, readOnnxGraph } from './onnxGraph.ts'

/** Ends of ONNX file names by dtype: DEFAULT_DTYPE_SUFFIX_MAPPING of transformers.js 4.3.1. */
const suffixes: Record<Dtype, string> = { fp32: '', fp16: '_fp16', q8: '_quantized', q4: '_q4', q4f16: '_q4f16' }

/** Files that decide the answer besides the weights; only the first two must be there. */
export const requiredFiles = ['config.json', 'tokenizer.json'] as const
export const optionalFiles = ['generation_config.json', 'tokenizer_config.json', 'chat_template.jinja', '1_Pooling/config.json'] as const

/** More texts in one task give a result that no longer fits its message (256 vectors of 4,096 numbers are 5.6 MB). */
const maxEmbeddingBatch = 256
/** zManifest's limit */
const maxContextTokens = 1_048_576

export interface ManifestOptions {
  dtype: Dtype
  /** 40-hex commit of a downloaded model, null for bundled models and local folders */
  revision: string | null
  /** hashes that were just computed, by path: files are not read twice */
  known?: ReadonlyMap<string, { bytes: number; sha256: Hash }>
}

/** The ONNX file of a dtype, relative to the model folder. @example toGraphFile('q8') // 'onnx/model_quantized.onnx' */
export function toGraphFile(dtype: Dtype): string {
  return `onnx/model${suffixes[dtype]}.onnx`
}

/** Dtypes that the folder has weights for. */
export async function listDtypes(folder: ModelFolder): Promise<Dtype[]> {
  const found = await Promise.all(dtypes.map((dtype) => findModelFile(folder, toGraphFile(dtype))))
  return dtypes.filter((_, index) => found[index] !== null)
}

/** Paths of a graph's external data relative to the model folder. */
export function toExternalFiles(dtype: Dtype, graph: OnnxGraph): string[] {
  return graph.externalData.map((location) => (location.startsWith('/') ? location : posix.join(posix.dirname(toGraphFile(dtype)), location)))
}

/**
 * The manifest of a model folder for one dtype: every file that decides its answers with size and SHA-256, and the limits read
 * from its configuration. Whether it makes text or vectors is decided by the graph's outputs: `logits` of a causal model, or
 * hidden states.
 * @throws CUCKOO_MODEL_DTYPE_MISSING when the folder has no weights of that dtype, naming those it has
 * @throws CUCKOO_MODEL_FILE_MISSING, CUCKOO_MODEL_FILE_INVALID, CUCKOO_MODEL_FILE_ESCAPES for its files
 * @throws CUCKOO_MODEL_UNSUPPORTED when it does something else
 */
export async function createManifest(folder: ModelFolder, options: ManifestOptions): Promise<Manifest> {
  const { model } = folder
  const { dtype } = options
  await getModelFile(folder, 'config.json')
  const graphFile = toGraphFile(dtype)
  const graphPath = await findModelFile(folder, graphFile)
  if (graphPath === null) throw dtypeMissing({ model, dtype, available: (await listDtypes(folder)).join(', ') })
  const graph = await readOnnxGraph(graphPath, { model, file: graphFile })
  const present = await Promise.all(optionalFiles.map(async (file) => ((await findModelFile(folder, file)) === null ? [] : [file])))
  const paths = [...requiredFiles, ...present.flat(), graphFile, ...toExternalFiles(dtype, graph)].sort()
  const files: ManifestFile[] = []
  for (const path of paths) {
    const absolute = await getModelFile(folder, path)
    files.push({ path, ...(options.known?.get(path) ?? (await hashFile(absolute))) })
  }
  return { version: 1, model, revision: options.revision, dtype, files, proof: 'none', ...(await readTraits(folder, graph)) }
}

async function readTraits(folder: ModelFolder, graph: OnnxGraph): Promise<Pick<Manifest, 'kind' | 'limits' | 'chatTemplate' | 'eosTokenIds' | 'pooling'>> {
  const config = (await readJsonFile(folder, 'config.json')) ?? {}
  const generation = (await readJsonFile(folder, 'generation_config.json')) ?? {}
  const tokenizer = (await readJsonFile(folder, 'tokenizer_config.json')) ?? {}
  const kind = toKind(folder.model, config, graph)
  const contextTokens = toContextTokens(folder.model, config, tokenizer)
  const chatTemplate =
    (await findModelFile(folder, 'chat_template.jinja')) !== null || typeof tokenizer.chat_template === 'string' || Array.isArray(tokenizer.chat_template)
  if (kind === 'text') {
    const eos = generation.eos_token_id ?? config.eos_token_id ?? []
    const eosTokenIds = (Array.isArray(eos) ? eos : [eos]).filter((id): id is number => Number.isInteger(id) && id >= 0).slice(0, 16)
    return { kind, limits: { contextTokens, maxOutputTokens: contextTokens, maxBatch: 1 }, chatTemplate, eosTokenIds, pooling: null }
  }
  const pooling = toPooling((await readJsonFile(folder, '1_Pooling/config.json')) ?? {})
  return { kind, limits: { contextTokens, maxOutputTokens: 0, maxBatch: maxEmbeddingBatch }, chatTemplate: false, eosTokenIds: [], pooling }
}

type Json = Record<string, unknown>

function toKind(model: string, config: Json, graph: OnnxGraph): Manifest['kind'] {
  if (graph.outputs.includes('last_hidden_state') || graph.outputs.includes('token_embeddings')) return 'embedding'
  const architectures = Array.isArray(config.architectures) ? config.architectures.map(String) : []
  const causal = architectures.some((name) => /(CausalLM|LMHeadModel|ForConditionalGeneration)$/.test(name))
  if (graph.outputs.includes('logits') && (causal || architectures.length === 0)) return 'text'
  throw modelUnsupported({ model, reason: `its graph gives ${graph.outputs.slice(0, 5).join(', ')} (${architectures.join(', ') || 'no architecture named'})` })
}

/** Prompt plus output tokens: the smaller of what the weights and what the tokenizer name. */
function toContextTokens(model: string, config: Json, tokenizer: Json): number {
  const nested = typeof config.text_config === 'object' && config.text_config !== null ? (config.text_config as Json) : {}
  const named = [config, nested].flatMap((source) => [source.max_position_embeddings, source.n_positions, source.n_ctx, source.max_seq_len]).filter(isCount)
  // Python's transformers writes 1e30 where a tokenizer knows no limit.
  const limits = [named[0], tokenizer.model_max_length].filter(isCount)
  if (limits.length === 0) throw modelFileInvalid({ model, file: 'config.json', problem: 'it names no context length (max_position_embeddings)' })
  return Math.min(maxContextTokens, ...limits)
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1e9
}

/** Sentence-transformers' pooling file; the mean where there is none. */
function toPooling(config: Json): NonNullable<Manifest['pooling']> {
  if (config.pooling_mode_cls_token === true) return 'cls'
  return config.pooling_mode_lasttoken === true ? 'last' : 'mean'
}
