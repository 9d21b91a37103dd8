import { defineError } from './cuckooError.ts'

// ---- requests ----
export const requestInvalid = defineError('CUCKOO_API_REQUEST_INVALID', 'usage', (f: { where: string; problem: string; param?: string }) => ({
  message: `${f.where}: ${f.problem}.`,
  hint: 'Compare the request with the API reference at /openapi.json.',
}))
export const parameterUnsupported = defineError(
  'CUCKOO_API_PARAMETER_UNSUPPORTED',
  'usage',
  (f: { parameter: string; value: string } | { parameter: string; when: string }) => ({
    message: 'when' in f ? `The parameter '${f.parameter}' is not supported ${f.when}.` : `The parameter '${f.parameter}' = ${f.value} is not supported here.`,
    hint: `Leave '${f.parameter}' out: no parameter is silently ignored.`,
  }),
)
export const bodyTooLarge = defineError(
  'CUCKOO_API_BODY_TOO_LARGE',
  'usage',
  (f: { maximumBytes: number }) => ({
    message: `The body is larger than the ${f.maximumBytes} bytes this route takes.`,
    hint: 'Send less in one request.',
  }),
  { httpStatus: 413 },
)
export const mediaTypeUnsupported = defineError(
  'CUCKOO_API_MEDIA_TYPE_UNSUPPORTED',
  'usage',
  (f: { found: string; expected: string }) => ({
    message: `The content is '${f.found}', this route takes '${f.expected}' without content encoding.`,
    hint: `Send 'content-type: ${f.expected}' and no 'content-encoding'.`,
  }),
  { httpStatus: 415 },
)
export const routeUnknown = defineError(
  'CUCKOO_API_ROUTE_UNKNOWN',
  'usage',
  (f: { method: string; path: string }) => ({
    message: `There is no ${f.method} ${f.path} here.`,
    hint: 'GET /openapi.json lists every route.',
  }),
  { httpStatus: 404 },
)
export const rateLimited = defineError(
  'CUCKOO_API_RATE_LIMITED',
  'unavailable',
  (f: { retryAfterSeconds: number }) => ({
    message: `Too many requests with this key.`,
    hint: `Wait ${f.retryAfterSeconds} s and try again.`,
  }),
  { httpStatus: 429 },
)
export const coordinatorUnreachable = defineError('CUCKOO_API_UNREACHABLE', 'unavailable', (f: { url: string; reason: string }) => ({
  message: `The coordinator at ${f.url} does not answer: ${f.reason}.`,
  hint: 'Check the URL, and that `cuckoo coordinator serve` runs there.',
}))
export const responseInvalid = defineError('CUCKOO_API_RESPONSE_INVALID', 'invalid', (f: { route: string; problem: string }) => ({
  message: `The answer of ${f.route} breaks the protocol: ${f.problem}.`,
  hint: 'The coordinator may run another version: compare `cuckoo --version` on both sides.',
}))

// ---- who is asking ----
export const apiKeyMissing = defineError('CUCKOO_API_KEY_MISSING', 'denied', () => ({
  message: 'The request carries no API key.',
  hint: "Send 'authorization: Bearer <key>'; the coordinator's operator makes one with `cuckoo apps create <name>`.",
}))
export const apiKeyInvalid = defineError('CUCKOO_API_KEY_INVALID', 'denied', (f: { prefix: string }) => ({
  message: `The API key '${f.prefix}…' is unknown or revoked.`,
  hint: 'Ask the coordinator for a new one (`cuckoo apps create <name>`).',
}))
export const sessionInvalid = defineError('CUCKOO_SESSION_INVALID', 'denied', (f: { reason: string }) => ({
  message: `The miner session is not valid: ${f.reason}.`,
  hint: 'Start a new session with a handshake.',
}))
export const sessionReplayed = defineError('CUCKOO_SESSION_REPLAYED', 'denied', (f: { sequence: number }) => ({
  message: `The request with sequence number ${f.sequence} was seen before or is too old.`,
  hint: 'Sequence numbers rise by one per request and are never used again.',
}))
export const clockSkewed = defineError('CUCKOO_SESSION_CLOCK_SKEWED', 'denied', (f: { theirTime: number; serverTime: number; maximumSeconds: number }) => ({
  message: `Your clock says ${f.theirTime}, mine says ${f.serverTime} (unix seconds): more than ${f.maximumSeconds} s apart.`,
  hint: 'Set the clock of this machine (for example with `timedatectl set-ntp true`).',
}))
export const signatureForeign = defineError(
  'CUCKOO_API_SIGNATURE_FOREIGN',
  'denied',
  (f: { what: string; expected: string }) => ({
    message: `The ${f.what} is not signed by ${f.expected}.`,
    hint: 'Sign with the operator key that is registered on chain.',
  }),
  { httpStatus: 403 },
)
export const minerNotEligible = defineError(
  'CUCKOO_MINER_NOT_ELIGIBLE',
  'denied',
  (f: { node: string; reason: string }) => ({
    message: `The node ${f.node} may not mine here: ${f.reason}.`,
    hint: 'Check it with `cuckoo node show`.',
  }),
  { httpStatus: 403 },
)
export const sessionTaken = defineError('CUCKOO_SESSION_TAKEN', 'rejected', (f: { node: string }) => ({
  message: `The miner ${f.node} already has a live session here.`,
  hint: 'Stop the other miner that uses this operator key, or wait until its session ends.',
}))

// ---- tasks ----
export const taskUnknown = defineError(
  'CUCKOO_TASK_UNKNOWN',
  'usage',
  (f: { taskId: string }) => ({
    message: `There is no task ${f.taskId} of yours here.`,
    hint: 'Check the id and that you use the key that made the task.',
  }),
  { httpStatus: 404 },
)
export const taskNotDone = defineError('CUCKOO_TASK_NOT_DONE', 'rejected', (f: { taskId: string; state: string }) => ({
  message: `The task ${f.taskId} is ${f.state}: it has no receipt yet.`,
  hint: 'Ask again when it is done.',
}))
export const leaseLost = defineError('CUCKOO_TASK_LEASE_LOST', 'rejected', (f: { taskId: string; attempt: number }) => ({
  message: `Attempt ${f.attempt} of task ${f.taskId} is no longer yours: its lease has expired or the task has ended.`,
  hint: 'Drop the work; another miner has the task.',
}))
export const idempotencyConflict = defineError('CUCKOO_TASK_IDEMPOTENCY_CONFLICT', 'rejected', (f: { key: string }) => ({
  message: `The idempotency key '${f.key}' was used with another request.`,
  hint: 'Use a new key for a new request.',
}))
export const modelUnknown = defineError(
  'CUCKOO_MODEL_UNKNOWN',
  'usage',
  (f: { model: string | null; known: string }) => ({
    message: f.model === null ? 'No miner offers a model here.' : `No miner here offers the model '${f.model}'.`,
    hint: f.known === '' ? 'No model is offered yet: start a miner, or give those that run a minute to find this coordinator.' : `Models here: ${f.known}.`,
  }),
  { httpStatus: 404 },
)
export const modelKindMismatch = defineError('CUCKOO_MODEL_KIND_MISMATCH', 'usage', (f: { model: string; kind: string; wanted: string }) => ({
  message: `The model '${f.model}' does ${f.kind}, not ${f.wanted}.`,
  hint: `Ask it for ${f.kind}, or choose another model: GET /v1/models names what each one does.`,
}))
export const chatTemplateMissing = defineError('CUCKOO_MODEL_WITHOUT_CHAT', 'usage', (f: { model: string }) => ({
  message: `The model '${f.model}' has no chat template.`,
  hint: 'Use /v1/completions with it.',
}))
export const noMinerAvailable = defineError('CUCKOO_TASK_NO_MINER', 'unavailable', (f: { model: string; reason: string }) => ({
  message: `No miner can run '${f.model}' now: ${f.reason}.`,
  hint: 'Try again in a few seconds.',
}))
export const promptTooLong = defineError(
  'CUCKOO_TASK_PROMPT_TOO_LONG',
  'usage',
  (f: { tokens: number; maximumTokens: number; unit: 'tokens' | 'characters' }) => ({
    message: `The prompt has ${f.tokens} ${f.unit}; at most ${f.maximumTokens} fit.`,
    hint: 'Shorten the prompt or ask for fewer output tokens.',
  }),
)
export const queueFull = defineError(
  'CUCKOO_TASK_QUEUE_FULL',
  'unavailable',
  (f: { waiting: number }) => ({
    message: `${f.waiting} tasks are waiting already.`,
    hint: 'Try again after the time in Retry-After.',
  }),
  { httpStatus: 429 },
)
export const taskDead = defineError(
  'CUCKOO_TASK_DEAD',
  'unavailable',
  (f: { taskId: string; failures: string }) => ({
    message: `The task ${f.taskId} failed on several miners: ${f.failures}.`,
    hint: 'Send it again, or to another model.',
  }),
  { httpStatus: 502 },
)
export const taskFailed = defineError(
  'CUCKOO_TASK_FAILED',
  'rejected',
  (f: { taskId: string; reason: string }) => ({
    message: `The task ${f.taskId} cannot be done: ${f.reason}.`,
    hint: 'Change the request.',
  }),
  { httpStatus: 422 },
)
export const taskCancelled = defineError('CUCKOO_TASK_CANCELLED', 'rejected', (f: { taskId: string }) => ({
  message: `The task ${f.taskId} was cancelled.`,
}))
export const taskTimedOut = defineError(
  'CUCKOO_TASK_TIMED_OUT',
  'unavailable',
  (f: { taskId: string; waitedMs: number }) => ({
    message: `The task ${f.taskId} is not done after ${f.waitedMs} ms.`,
    hint: 'It goes on: ask for it with GET /v1/tasks/{id}.',
  }),
  { httpStatus: 504 },
)
export const contentDeleted = defineError(
  'CUCKOO_TASK_CONTENT_DELETED',
  'rejected',
  (f: { taskId: string; endedAt: string; deletedBefore: string }) => ({
    message: `The content of task ${f.taskId} is deleted: it ended at ${f.endedAt}, and of tasks that ended before ${f.deletedBefore} only rows and receipts are kept.`,
    hint: 'Send the request again as a new task; the operator sets how long contents stay with `cuckoo coordinator serve --keep`.',
  }),
  { httpStatus: 410 },
)
export const streamDiverged = defineError('CUCKOO_TASK_STREAM_DIVERGED', 'unavailable', (f: { taskId: string }) => ({
  message: `A second miner took over task ${f.taskId} and its text does not continue what was sent.`,
  hint: 'The whole text is kept: GET /v1/tasks/{id}.',
}))
export const resultInvalid = defineError(
  'CUCKOO_TASK_RESULT_INVALID',
  'invalid',
  (f: { taskId: string; problem: string }) => ({
    message: `The result for task ${f.taskId} breaks the protocol: ${f.problem}.`,
  }),
  { httpStatus: 422 },
)
export const resultMediumAbsent = defineError('CUCKOO_TASK_MEDIUM_ABSENT', 'rejected', (f: { taskId: string; hash: string }) => ({
  message: `The result for task ${f.taskId} names the medium ${f.hash}, which is not here.`,
  hint: 'Hand it in with putTaskMedia, and submit the result again.',
}))
export const blobInvalid = defineError(
  'CUCKOO_BLOB_INVALID',
  'usage',
  (f: { expected: string; found: string }) => ({
    message: `The bytes have SHA-256 ${f.found}, not ${f.expected}.`,
    hint: 'Only files that a manifest names are taken.',
  }),
  { httpStatus: 422 },
)
export const manifestInvalid = defineError(
  'CUCKOO_MANIFEST_INVALID',
  'usage',
  (f: { model: string; problem: string }) => ({
    message: `The manifest of '${f.model}' is refused: ${f.problem}.`,
  }),
  { httpStatus: 422 },
)
export const modelUnderpriced = defineError('CUCKOO_MODEL_UNDERPRICED', 'rejected', (f: { model: string; minUnitPriceWei: bigint; unitPriceWei: bigint }) => ({
  message: `Your minimum price of ${f.minUnitPriceWei} wei per unit is above this coordinator's ${f.unitPriceWei} wei for '${f.model}'.`,
  hint: 'Ask for less with `--min-price`, or mine for another coordinator.',
}))

// ---- media ----
export const mediaAbsent = defineError(
  'CUCKOO_API_MEDIA_ABSENT',
  'usage',
  (f: { hash: string }) => ({
    message: `There is no medium with SHA-256 ${f.hash} here.`,
    hint: 'Upload it first: POST its bytes to /v1/media.',
  }),
  { httpStatus: 404 },
)
export const mediaUrlRefused = defineError('CUCKOO_API_MEDIA_URL_REFUSED', 'usage', (f: { url: string; problem: string }) => ({
  message: `The medium '${f.url}' is not taken: ${f.problem}.`,
  hint: 'Upload it with POST /v1/media and name it { "sha256": … }, or send it as a data: URL in base64. No URL is ever fetched.',
}))
export const mediaBytesExceeded = defineError(
  'CUCKOO_API_MEDIA_TOO_LARGE',
  'usage',
  (f: { bytes: number; maximumBytes: number }) => ({
    message: `The medium has ${f.bytes} bytes; at most ${f.maximumBytes} are taken here.`,
    hint: 'Make it smaller, or send it in parts.',
  }),
  { httpStatus: 413 },
)
export const uploadsFull = defineError('CUCKOO_API_UPLOADS_FULL', 'unavailable', (f: { maximumBytes: number }) => ({
  message: `Uploads of nearly ${f.maximumBytes} bytes, the most at a time, are under way.`,
  hint: 'Try again after the time in Retry-After.',
}))
export const downloadsFull = defineError('CUCKOO_API_DOWNLOADS_FULL', 'unavailable', (f: { maximumBytes: number }) => ({
  message: `Downloads of nearly ${f.maximumBytes} bytes, the most at a time, are under way.`,
  hint: 'Try again after the time in Retry-After.',
}))
export const mediaQuotaExceeded = defineError(
  'CUCKOO_API_MEDIA_QUOTA_EXCEEDED',
  'rejected',
  (f: { bytes: number; usedBytes: number; quotaBytes: number }) => ({
    message: `The medium has ${f.bytes} bytes; this key's media take ${f.usedBytes} of the ${f.quotaBytes} bytes that they may.`,
    hint: "Wait: what no task names goes after an hour, the rest when its tasks' contents do. Or ask the operator for more (`cuckoo coordinator serve --app-media`).",
  }),
  { httpStatus: 413 },
)
export const storageLow = defineError(
  'CUCKOO_API_STORAGE_LOW',
  'unavailable',
  (f: { bytes: number; freeBytes: number; reservedBytes: number }) => ({
    message: `The medium has ${f.bytes} bytes; the coordinator has ${f.freeBytes} bytes of disk left and reserves ${f.reservedBytes} for results.`,
    hint: 'Try again later, or another coordinator; the operator frees disk space, or lowers `cuckoo coordinator serve --min-free`.',
  }),
  { httpStatus: 507 },
)

// ---- the coordinator's standing ----
export const notReady = defineError('CUCKOO_COORDINATOR_NOT_READY', 'unavailable', (f: { reason: string }) => ({
  message: `The coordinator is not ready: ${f.reason}.`,
  hint: 'Try again in a moment.',
}))
export const draining = defineError('CUCKOO_COORDINATOR_DRAINING', 'unavailable', () => ({
  message: 'The coordinator is shutting down and takes no new tasks.',
  hint: 'Try again in a moment, or another coordinator.',
}))
