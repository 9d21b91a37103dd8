import { defineError } from './cuckooError.ts'

function toGigabytes(bytes: number): string {
  return bytes < 1e8 ? `${(Math.max(0, bytes) / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`
}

// ---- models and their files ----
export const modelNameInvalid = defineError('CUCKOO_MODEL_NAME_INVALID', 'usage', (f: { model: string; problem: string }) => ({
  message: `'${f.model.slice(0, 80)}' is not a model name: ${f.problem}.`,
  hint: 'A model is named like cuckoo/storyteller: owner/model, letters, digits, dots, dashes and underscores.',
}))
export const modelNotFound = defineError(
  'CUCKOO_MODEL_NOT_FOUND',
  'usage',
  (f: { model: string; where: string; known: string }) => ({
    message: `There is no model '${f.model}' in ${f.where}.`,
    hint: f.known === '' ? `It holds no models; \`cuckoo models pull ${f.model}\` fetches one of the hub.` : `Models there: ${f.known}.`,
  }),
  { httpStatus: 404 },
)
export const dtypeMissing = defineError('CUCKOO_MODEL_DTYPE_MISSING', 'usage', (f: { model: string; dtype: string; available: string }) => ({
  message: `The model '${f.model}' has no ${f.dtype} weights.`,
  hint: f.available === '' ? 'It has no ONNX weights at all: choose a repository with an onnx folder.' : `It has ${f.available}: choose one of them.`,
}))
export const modelFileMissing = defineError('CUCKOO_MODEL_FILE_MISSING', 'invalid', (f: { model: string; file: string }) => ({
  message: `The model '${f.model}' lacks the file ${f.file}.`,
  hint: 'Copy or download the model again, complete.',
}))
export const modelFileInvalid = defineError('CUCKOO_MODEL_FILE_INVALID', 'invalid', (f: { model: string; file: string; problem: string }) => ({
  message: `The file ${f.file} of the model '${f.model}' is broken: ${f.problem}.`,
  hint: 'Copy or download the model again.',
}))
export const modelFileEscapes = defineError(
  'CUCKOO_MODEL_FILE_ESCAPES',
  'invalid',
  (f: { model: string; file: string; problem: string; nextStep?: string }) => ({
    message: `The file ${f.file} of the model '${f.model}' is refused: ${f.problem}.`,
    hint: f.nextStep ?? 'Put a plain copy of the file into the model folder.',
  }),
)
export const modelUnsupported = defineError('CUCKOO_MODEL_UNSUPPORTED', 'usage', (f: { model: string; reason: string; nextStep?: string }) => ({
  message: `The model '${f.model}' cannot run here: ${f.reason}.`,
  hint: f.nextStep ?? 'Choose a model exported for transformers.js that does one of the kinds of task.',
}))
export const modelLoadFailed = defineError('CUCKOO_MODEL_LOAD_FAILED', 'invalid', (f: { model: string; device: string; reason: string }) => ({
  message: `The model '${f.model}' does not load on ${f.device}: ${f.reason}.`,
  hint: 'Download it again, or try --device cpu or another --dtype.',
}))
export const modelsDirectoryUnusable = defineError('CUCKOO_MODELS_DIRECTORY_UNUSABLE', 'config', (f: { directory: string; reason: string }) => ({
  message: `The models directory ${f.directory} cannot be used: ${f.reason}.`,
  hint: 'Give it write permission, or name another one with CUCKOO_MODELS_CACHE.',
}))
export const modelRevisionInvalid = defineError('CUCKOO_MODEL_REVISION_INVALID', 'usage', (f: { model: string; revision: string }) => ({
  message: `'${f.revision.slice(0, 80)}' is not a revision of '${f.model}'.`,
  hint: 'A revision is a branch, a tag or a commit: letters, digits, dots, dashes, underscores and slashes.',
}))
export const modelBundled = defineError('CUCKOO_MODEL_BUNDLED', 'usage', (f: { model: string }) => ({
  message: `The model '${f.model}' ships with cuckoo and is not in the cache.`,
  hint: 'It needs no download; `cuckoo models list` shows what is in the cache.',
}))
export const modelUnsafe = defineError('CUCKOO_MODEL_UNSAFE', 'invalid', (f: { model: string; file: string; problem: string; more: number }) => ({
  message: `The model '${f.model}' is refused: in ${f.file}, ${f.problem}${f.more > 0 ? `, and ${f.more} more like it` : ''}.`,
  hint: `\`cuckoo models manifest ${f.model}\` lists everything; choose another export of the model.`,
}))
export const modelNotAllowed = defineError(
  'CUCKOO_MODEL_NOT_ALLOWED',
  'denied',
  (f: { model: string; dtype: string; kind: string | null; revision: string; digest: string; file: string }) => ({
    message: `The model '${f.model}' (${f.dtype}) at ${f.revision.slice(0, 12)} is not the one that was allowed here: its manifest is ${f.digest}.`,
    hint: `Look at what changed; then \`cuckoo models pull ${f.model}:${f.dtype}${f.kind === null ? '' : `#${f.kind}`}@${f.revision}\` allows it (kept in ${f.file}).`,
  }),
  { httpStatus: 403 },
)
export const modelsAllowedUnreadable = defineError('CUCKOO_MODELS_ALLOWED_UNREADABLE', 'config', (f: { file: string; problem: string }) => ({
  message: `The list of allowed models ${f.file} cannot be used: ${f.problem}.`,
  hint: 'Repair it, or delete it and allow models again with `cuckoo models pull`.',
}))
export const modelsDiskFull = defineError(
  'CUCKOO_MODELS_DISK_FULL',
  'rejected',
  (f: { model: string; directory: string; neededBytes: number; availableBytes: number; limit: 'budget' | 'disk'; removable: readonly string[] }) => ({
    message: `'${f.model}' needs ${toGigabytes(f.neededBytes)} more in ${f.directory}, and ${
      f.limit === 'budget' ? 'the budget (CUCKOO_MODELS_BUDGET)' : 'the disk'
    } has ${toGigabytes(f.availableBytes)} left.`,
    hint:
      f.removable.length === 0
        ? `${f.limit === 'budget' ? 'Raise the budget' : 'Make room'}, or keep models elsewhere with CUCKOO_MODELS_CACHE.`
        : `Remove what was not used for longest: ${f.removable.map((name) => `\`cuckoo models remove ${name}\``).join(', then ')}.`,
  }),
)
export const modelsCacheAltered = defineError('CUCKOO_MODELS_CACHE_ALTERED', 'invalid', (f: { files: number; first: string }) => ({
  message: `${f.files} cached file${f.files === 1 ? ' was' : 's were'} not what the hub listed and ${f.files === 1 ? 'was' : 'were'} set aside, ${f.first} first.`,
  hint: '`cuckoo models verify --repair` fetches them again.',
}))

// ---- the hub ----
export const hubBusy = defineError('CUCKOO_HUB_BUSY', 'unavailable', (f: { url: string; status: number; retryAfterSeconds: number | null }) => ({
  message: `The model hub at ${f.url} cannot serve us now: HTTP ${f.status}.`,
  hint: `Start again ${f.retryAfterSeconds === null ? 'later' : `in ${f.retryAfterSeconds} s`}: a download goes on where it stopped. HF_TOKEN raises the hub's limits.`,
}))
export const hubOffline = defineError('CUCKOO_HUB_OFFLINE', 'config', (f: { model: string; missing: string }) => ({
  message: `The model '${f.model}' is not complete on this machine (${f.missing}) and downloads are off.`,
  hint: `Fetch it with \`cuckoo models pull ${f.model}\`, without CUCKOO_OFFLINE; or use --models-dir with a folder that has it.`,
}))
export const hubUnreachable = defineError('CUCKOO_HUB_UNREACHABLE', 'unavailable', (f: { url: string; reason: string }) => ({
  message: `The model hub does not answer at ${f.url}: ${f.reason}.`,
  hint: 'Check the network and start again: a download goes on where it stopped. `cuckoo models list` shows what is here without it.',
}))
export const hubModelUnknown = defineError(
  'CUCKOO_HUB_MODEL_UNKNOWN',
  'usage',
  (f: { model: string; revision: string }) => ({
    message: `The hub has no model '${f.model}' at revision ${f.revision}, or it is private.`,
    hint: 'Check the name on huggingface.co; for gated models set HF_TOKEN.',
  }),
  { httpStatus: 404 },
)
export const hubFileCorrupt = defineError('CUCKOO_HUB_FILE_CORRUPT', 'invalid', (f: { model: string; file: string; expected: string; found: string }) => ({
  message: `The hub sent a wrong ${f.file} of '${f.model}' twice: ${f.found} instead of ${f.expected}.`,
  hint: 'A proxy may alter downloads; try another network.',
}))
export const hubFileUnhashed = defineError('CUCKOO_HUB_FILE_UNHASHED', 'invalid', (f: { model: string; file: string }) => ({
  message: `The hub lists no hash of ${f.file} of '${f.model}': what it sends cannot be checked.`,
  hint: `Choose another mirror, or none, with CUCKOO_HUB_URL; \`cuckoo models remove ${f.model}\` forgets what this one listed.`,
}))

// ---- devices ----
export const deviceUnavailable = defineError('CUCKOO_DEVICE_UNAVAILABLE', 'config', (f: { device: string; reason: string; nextStep: string }) => ({
  message: `The device ${f.device} is not available: ${f.reason}.`,
  hint: f.nextStep,
}))

export const runtimeSourceUnreachable = defineError('CUCKOO_RUNTIME_SOURCE_UNREACHABLE', 'unavailable', (f: { url: string; reason: string }) => ({
  message: `The runtime's libraries cannot be fetched from ${f.url}: ${f.reason}.`,
  hint: 'Check the network and run it again: the download goes on where it stopped.',
}))
export const runtimeFileCorrupt = defineError('CUCKOO_RUNTIME_FILE_CORRUPT', 'invalid', (f: { file: string; problem: string }) => ({
  message: `The runtime's package ${f.file} is refused: ${f.problem}. Nothing was installed.`,
  hint: 'Run it again: it is fetched from the start. A proxy may alter downloads; try another network.',
}))
export const runtimeDirectoryUnwritable = defineError('CUCKOO_RUNTIME_DIRECTORY_UNWRITABLE', 'config', (f: { directory: string; reason: string }) => ({
  message: `The runtime's folder ${f.directory} cannot be written: ${f.reason}.`,
  hint: 'Give it space, or run the command as the user who installed cuckoo.',
}))

// ---- runs ----
export const modelKindWrong = defineError('CUCKOO_INFERENCE_KIND_WRONG', 'usage', (f: { model: string; kind: string; wanted: string }) => ({
  message: `The model '${f.model}' does ${f.kind}, not ${f.wanted}.`,
  hint: 'Choose a model of the other kind.',
}))
export const inferenceInputInvalid = defineError('CUCKOO_INFERENCE_INPUT_INVALID', 'usage', (f: { problem: string }) => ({
  message: `The model cannot take this input: ${f.problem}.`,
  hint: 'Change the request.',
}))
export const tokenOutOfVocabulary = defineError('CUCKOO_INFERENCE_TOKEN_UNKNOWN', 'usage', (f: { model: string; tokenId: number; vocabularySize: number }) => ({
  message: `Token id ${f.tokenId} is not in the vocabulary of '${f.model}' (0 to ${f.vocabularySize - 1}).`,
  hint: "Make the ids with the model's own tokenizer.",
}))
export const contextExceeded = defineError(
  'CUCKOO_INFERENCE_CONTEXT_EXCEEDED',
  'usage',
  (f: { model: string; promptTokens: number; maxTokens: number; contextTokens: number }) => ({
    message: `${f.promptTokens} prompt tokens and up to ${f.maxTokens} output tokens do not fit the ${f.contextTokens} tokens of '${f.model}'.`,
    hint: 'Shorten the prompt or ask for fewer output tokens.',
  }),
)
export const modelLacksFeature = defineError(
  'CUCKOO_INFERENCE_FEATURE_MISSING',
  'rejected',
  (f: { model: string; feature: string; available: string }) => ({
    message: `The model '${f.model}' does not offer ${f.feature}.`,
    hint: `It offers ${f.available}.`,
  }),
  { httpStatus: 422 },
)
export const inferenceFailed = defineError('CUCKOO_INFERENCE_FAILED', 'internal', (f: { model: string; reason: string }) => ({
  message: `The run of '${f.model}' failed: ${f.reason}.`,
  hint: 'Run it again with --log-level debug and report what it prints.',
}))
export const inferenceOutOfMemory = defineError('CUCKOO_INFERENCE_OUT_OF_MEMORY', 'unavailable', (f: { model: string; device: string; reason: string }) => ({
  message: `The model '${f.model}' ran out of memory on ${f.device} and was unloaded: ${f.reason}.`,
  hint: 'Use smaller weights (--dtype q8), fewer models at a time (miner start --memory), a smaller model, or --device cpu.',
}))
function toOtherPlace({ dtype, device }: { dtype: string; device: string }): string {
  if (dtype !== 'fp32') return 'Its numbers overflow there: run it with --dtype fp32.'
  return device === 'cpu' ? '`cuckoo models verify` shows whether its files are whole.' : 'Run it with --device cpu.'
}
export const outputNotFinite = defineError('CUCKOO_INFERENCE_NOT_FINITE', 'invalid', (f: { model: string; part: string; dtype: string; device: string }) => ({
  message: `'${f.model}' gave numbers that are not finite in ${f.dtype} on ${f.device}, in its ${f.part}.`,
  hint: toOtherPlace(f),
}))
export const inferenceStuck = defineError(
  'CUCKOO_INFERENCE_STUCK',
  'unavailable',
  (f: { model: string }) => ({
    message: `The model '${f.model}' takes no runs: it loads without end, or a run does that nobody wants any more.`,
    hint: 'Restart the process: nothing less gets a worker out of its runtime. If it happens again, try `--device cpu`.',
  }),
  { endsProcess: true },
)
export const inferenceWorkerEnded = defineError('CUCKOO_INFERENCE_WORKER_ENDED', 'unavailable', (f: { worker: string; reason: string }) => ({
  message: `The ${f.worker} worker ended: ${f.reason}.`,
  hint: 'Open the model again.',
}))
export const inferenceDisposed = defineError('CUCKOO_INFERENCE_DISPOSED', 'rejected', (f: { what: string }) => ({
  message: `The ${f.what} was closed.`,
  hint: 'Open it again.',
}))

// ---- tokenizers ----
export const tokenizerInvalid = defineError('CUCKOO_TOKENIZER_INVALID', 'invalid', (f: { problem: string }) => ({
  message: `The tokenizer files cannot be used: ${f.problem}.`,
  hint: 'The model needs a tokenizer.json that transformers.js reads.',
}))
export const tokenizerTimedOut = defineError(
  'CUCKOO_TOKENIZER_TIMED_OUT',
  'invalid',
  (f: { task: string; timeoutMs: number }) => ({
    message: `The tokenizer did not ${f.task} within ${f.timeoutMs} ms and was stopped.`,
    hint: 'Send a shorter text; if the model is slow for all, raise CUCKOO_TOKENIZER_TIMEOUT.',
  }),
  { httpStatus: 422 },
)
export const chatTemplateFailed = defineError('CUCKOO_TOKENIZER_TEMPLATE_FAILED', 'usage', (f: { reason: string }) => ({
  message: `The model's chat template refuses these messages: ${f.reason}.`,
  hint: 'Many templates want user and assistant in turn, starting with the user.',
}))
export const chatTemplateAbsent = defineError('CUCKOO_TOKENIZER_WITHOUT_CHAT', 'usage', () => ({
  message: 'The model has no chat template.',
  hint: 'Use plain completion with it.',
}))
