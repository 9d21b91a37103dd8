import type { Dtype, Manifest } from '../domain/manifest.ts'
import { dtypes } from '../domain/manifest.ts'
import { dtypeMissing, modelFileInvalid, modelFileMissing, modelUnsupported } from '../errors/inference.ts'
import { findModelFile, type ModelFolder, readJsonFile } from './modelFolder.ts'
import { dtypeSuffixes, type ModelLayout, type ModelPaths, type ModelTraits } from './modelLayout.ts'
import type { OnnxGraph } from './onnxGraph.ts'

/** Files that decide the answer besides the weights; only the first two must be there. */
const requiredFiles = ['config.json', 'tokenizer.json']
const optionalFiles = ['generation_config.json', 'tokenizer_config.json', 'chat_template.jinja', '1_Pooling/config.json']

/** More texts in one task give a result that no longer fits its message (256 vectors of 4,096 numbers are 5.6 MB). */
const maxEmbeddingBatch = 256
/** zManifest's limit */
const maxContextTokens = 1_048_576

/**
 * Models as transformers.js loads them: `config.json`, `tokenizer.json`, `onnx/model<dtype>.onnx`. Whether one makes text or
 * vectors is decided by the graph's outputs: `logits` of a causal model, or hidden states.
 */
export const transformersLayout: ModelLayout = {
  matches: (paths) => paths.has('config.json'),
  listConfigFiles: (paths) => ['config.json', ...optionalFiles.filter((path) => paths.has(path))],
  listDtypes: (paths) => dtypes.filter((dtype) => paths.has(toGraphFile(dtype))),
  plan: async ({ model }, paths, { dtype }) => {
    const graph = toGraphFile(dtype)
    for (const file of requiredFiles) if (!paths.has(file)) throw modelFileMissing({ model, file })
    if (!paths.has(graph)) throw dtypeMissing({ model, dtype, available: listDtypesOf(paths) })
    return { kind: null, dtype, files: [...requiredFiles, ...optionalFiles.filter((path) => paths.has(path)), graph], graphs: [graph] }
  },
  readTraits: async (folder, plan, graphs) => readTraits(folder, graphs.get(plan.graphs[0] ?? '') as OnnxGraph),
}

function listDtypesOf(paths: ModelPaths): string {
  return transformersLayout.listDtypes(paths).join(', ')
}

/** @example toGraphFile('q8') // 'onnx/model_quantized.onnx' */
function toGraphFile(dtype: Dtype): string {
  return `onnx/model${dtypeSuffixes[dtype]}.onnx`
}

async function readTraits(folder: ModelFolder, graph: OnnxGraph): Promise<ModelTraits> {
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
