import type { Dtype, Manifest } from '../domain/manifest.ts'
import { dtypes } from '../domain/manifest.ts'
import { isPipelineKind, type ModelKind, type PipelineKind, taskKindTraits } from '../domain/taskKinds.ts'
import { dtypeMissing, modelFileInvalid, modelFileMissing, modelUnsupported } from '../errors/inference.ts'
import { findModelFile, type ModelFolder, readJsonFile } from './modelFolder.ts'
import { dtypeSuffixes, type ModelLayout, type ModelTraits } from './modelLayout.ts'
import type { OnnxGraph } from './onnxGraph.ts'
import { encoderDecoder, type Json, singleGraph } from './pipelines/pipelineRow.ts'
import { findVariant, listPipelineKinds, pipelineTable } from './pipelines/pipelineTable.ts'

/** Files that decide the answer besides the weights; only those of a kind's own list must be there. */
const textModelFiles = ['config.json', 'tokenizer.json']
const optionalFiles = ['generation_config.json', 'tokenizer_config.json', 'chat_template.jinja', '1_Pooling/config.json', 'processor_config.json']

/** More texts in one task give a result that no longer fits its message (256 vectors of 4,096 numbers are 5.6 MB). */
const maxEmbeddingBatch = 256
/** zManifest's limit */
const maxContextTokens = 1_048_576

/** T5-like models place tokens relative to each other and name no length: what they were trained on (Raffel et al. 2020, section 3.1.1). */
const relativeContextTokens = 512
/** What a decoder writes where its config names no length: GenerationConfig's own default is 20, whisper's is 448. */
const defaultOutputTokens = 448

/**
 * Models as transformers.js loads them: `config.json`, `tokenizer.json` or `preprocessor_config.json` or both, and the graphs in
 * `onnx/`. The architecture tells what a model does; of those that make text or vectors, the graph's outputs tell which:
 * `logits` of a causal model, or hidden states.
 */
export const transformersLayout: ModelLayout = {
  matches: (paths) => paths.has('config.json'),
  listConfigFiles: (paths) => ['config.json', ...optionalFiles.filter((path) => paths.has(path))],
  listDtypes: (paths) => dtypes.filter((dtype) => [singleGraph, encoderDecoder].some((names) => names.every((name) => paths.has(toGraphFile(name, dtype))))),
  plan: async (folder, paths, { dtype, kind: wanted }) => {
    const { model } = folder
    const config = (await readJsonFile(folder, 'config.json')) ?? {}
    const kind = choosePipelineKind(model, config, wanted)
    const flaw = kind === null ? undefined : pipelineTable[kind].findFlaw?.(config)
    if (flaw !== undefined) throw modelUnsupported({ model, reason: flaw })
    const required = kind === null ? textModelFiles : ['config.json', ...pipelineTable[kind].files]
    const names = kind === null ? singleGraph : (findVariant(kind, config)?.graphs ?? singleGraph)
    const toGraphs = (of: Dtype) => names.map((name) => toGraphFile(name, of))
    for (const file of required) if (!paths.has(file)) throw modelFileMissing({ model, file })
    const has = (of: Dtype) => toGraphs(of).every((graph) => paths.has(graph))
    if (!has(dtype)) throw dtypeMissing({ model, dtype, available: dtypes.filter(has).join(', ') })
    const files = new Set([...required, ...optionalFiles.filter((path) => paths.has(path)), ...toGraphs(dtype)])
    return { kind, dtype, files: [...files], graphs: toGraphs(dtype) }
  },
  readTraits: async (folder, plan, graphs) => {
    if (plan.kind !== null && isPipelineKind(plan.kind)) return readPipelineTraits(folder, plan.kind)
    return readTraits(folder, graphs.get(plan.graphs[0] ?? '') as OnnxGraph)
  },
}

/** @example toGraphFile('model', 'q8') // 'onnx/model_quantized.onnx' */
function toGraphFile(name: string, dtype: Dtype): string {
  return `onnx/${name}${dtypeSuffixes[dtype]}.onnx`
}

/**
 * The pipeline kind of a model, null for text and embedding models. Where one architecture serves several kinds: a sequence
 * classifier with an entailment label is a zero-shot classifier unless `wanted` says otherwise; what T5 and BART do, their
 * `task_specific_params` say if they name one task only.
 * @throws CUCKOO_MODEL_UNSUPPORTED when it does not do what is wanted, or could do several things
 */
function choosePipelineKind(model: string, config: Json, wanted: ModelKind | null): PipelineKind | null {
  const kinds = listPipelineKinds(config)
  if (wanted !== null) {
    if (!isPipelineKind(wanted)) return null
    if (!kinds.includes(wanted)) throw modelUnsupported({ model, reason: `its architecture does ${kinds.join(' or ') || 'something else'}, not ${wanted}` })
    if (wanted === 'zero-shot-classification' && !hasEntailment(config)) throw modelUnsupported({ model, reason: 'none of its labels is entailment' })
    return wanted
  }
  if (kinds.includes('zero-shot-classification')) return hasEntailment(config) ? 'zero-shot-classification' : 'text-classification'
  if (kinds.length < 2) return kinds[0] ?? null
  const tasks = Object.keys((config.task_specific_params ?? {}) as Json)
  const named = kinds.filter((kind) => tasks.some((task) => task.startsWith(kind)))
  if (named.length === 1) return named[0] as PipelineKind
  const nextStep = `Say which: ${kinds.map((kind) => `${model}#${kind}`).join(' or ')}.`
  throw modelUnsupported({ model, reason: `its files do not tell whether it does ${kinds.join(' or ')}`, nextStep })
}

function hasEntailment({ label2id }: Json): boolean {
  return Object.keys((label2id ?? {}) as Json).some((label) => label.toLowerCase() === 'entailment')
}

async function readPipelineTraits(folder: ModelFolder, kind: PipelineKind): Promise<ModelTraits> {
  const [config = {}, generation = {}, tokenizer = {}] = await Promise.all(
    ['config.json', 'generation_config.json', 'tokenizer_config.json'].map((file) => readJsonFile(folder, file)),
  )
  const { takes, limits } = taskKindTraits[kind]
  const { generates } = pipelineTable[kind]
  // Of speech models a token is a character, with a blank between each two.
  const fallback = kind === 'speech' ? 2 * limits.maxCharacters + 1 : generates ? relativeContextTokens : undefined
  const contextTokens = takes.text ? toContextTokens(folder.model, config, tokenizer, fallback) : 1
  const maxOutputTokens = !generates ? 0 : takes.text ? contextTokens : toDecoderTokens(config)
  return {
    kind,
    limits: { contextTokens, maxOutputTokens, maxBatch: 1 },
    chatTemplate: false,
    eosTokenIds: generates ? toEosTokenIds(config, generation) : [],
    pooling: null,
  }
}

/** The longest text of a decoder behind an encoder of images or audio. */
function toDecoderTokens(config: Json): number {
  const decoder = toNested(config, 'decoder')
  return [config.max_target_positions, decoder.max_position_embeddings, decoder.n_positions].find(isCount) ?? defaultOutputTokens
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
    const eosTokenIds = toEosTokenIds(config, generation)
    return { kind, limits: { contextTokens, maxOutputTokens: contextTokens, maxBatch: 1 }, chatTemplate, eosTokenIds, pooling: null }
  }
  const pooling = toPooling((await readJsonFile(folder, '1_Pooling/config.json')) ?? {})
  return { kind, limits: { contextTokens, maxOutputTokens: 0, maxBatch: maxEmbeddingBatch }, chatTemplate: false, eosTokenIds: [], pooling }
}

function toEosTokenIds(config: Json, generation: Json): number[] {
  const eos = generation.eos_token_id ?? config.eos_token_id ?? []
  return (Array.isArray(eos) ? eos : [eos]).filter((id): id is number => Number.isInteger(id) && id >= 0).slice(0, 16)
}

function toKind(model: string, config: Json, graph: OnnxGraph): Manifest['kind'] {
  if (graph.outputs.includes('last_hidden_state') || graph.outputs.includes('token_embeddings')) return 'embedding'
  const architectures = Array.isArray(config.architectures) ? config.architectures.map(String) : []
  const causal = architectures.some((name) => /(CausalLM|LMHeadModel|ForConditionalGeneration)$/.test(name))
  if (graph.outputs.includes('logits') && (causal || architectures.length === 0)) return 'text'
  throw modelUnsupported({ model, reason: `its graph gives ${graph.outputs.slice(0, 5).join(', ')} (${architectures.join(', ') || 'no architecture named'})` })
}

/** Prompt plus output tokens: the smaller of what the weights and what the tokenizer name, else `fallback`. */
function toContextTokens(model: string, config: Json, tokenizer: Json, fallback?: number): number {
  const nested = toNested(config, 'text_config')
  const named = [config, nested].flatMap((source) => [source.max_position_embeddings, source.n_positions, source.n_ctx, source.max_seq_len]).filter(isCount)
  // Python's transformers writes 1e30 where a tokenizer knows no limit.
  const limits = [named[0], tokenizer.model_max_length].filter(isCount)
  if (limits.length === 0 && fallback !== undefined) return fallback
  if (limits.length === 0) throw modelFileInvalid({ model, file: 'config.json', problem: 'it names no context length (max_position_embeddings)' })
  return Math.min(maxContextTokens, ...limits)
}

function toNested(config: Json, name: string): Json {
  const nested = config[name]
  return typeof nested === 'object' && nested !== null ? (nested as Json) : {}
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1e9
}

/** Sentence-transformers' pooling file; the mean where there is none. */
function toPooling(config: Json): NonNullable<Manifest['pooling']> {
  if (config.pooling_mode_cls_token === true) return 'cls'
  return config.pooling_mode_lasttoken === true ? 'last' : 'mean'
}
