import { defineError } from './cuckooError.ts'

// ---- at the start ----
export const minerModelsMissing = defineError('CUCKOO_MINER_MODELS_MISSING', 'usage', () => ({
  message: 'No model was named: a miner needs at least one to offer.',
  hint: 'Name one with `--model <owner/model>`; `cuckoo models list` shows what is here.',
}))
export const minerModelTwice = defineError('CUCKOO_MINER_MODEL_TWICE', 'usage', (f: { model: string; dtype: string }) => ({
  message: `The model '${f.model}' (${f.dtype}) is named twice.`,
  hint: 'Name each model once; more work at a time comes with `--slots`.',
}))
export const minerModelUnusable = defineError('CUCKOO_MINER_MODEL_UNUSABLE', 'config', (f: { model: string; reason: string }) => ({
  message: `The model '${f.model}' cannot be used: ${f.reason}.`,
  hint: 'Check the model folder or revision, or try another device with `--device cpu`.',
}))
export const minerModelOverBudget = defineError(
  'CUCKOO_MINER_MODEL_OVER_BUDGET',
  'config',
  (f: { model: string; neededBytes: number; pinnedBytes: number; budgetBytes: number }) => ({
    message: `With the model '${f.model}' up to ${f.neededBytes} bytes of memory are needed at once, ${f.pinnedBytes} of them for pinned models; the budget is ${f.budgetBytes} bytes.`,
    hint: 'Raise `--memory`, pin fewer models, or offer smaller weights such as `owner/model:q8`.',
  }),
)
export const minerPinUnknown = defineError('CUCKOO_MINER_PIN_UNKNOWN', 'usage', (f: { model: string; offered: string }) => ({
  message: `The model '${f.model}' is to stay loaded, but it is not offered.`,
  hint: `Offered are: ${f.offered}. Name it with \`--model\` too.`,
}))
export const minerOperatorUnknown = defineError('CUCKOO_MINER_OPERATOR_UNKNOWN', 'denied', (f: { operator: string; node: string }) => ({
  message: `The key ${f.operator} is not the operator of node ${f.node}.`,
  hint: 'Register it with `cuckoo register miner --operator <address>`, or start with the account that is registered.',
}))
export const minerNodeInactive = defineError('CUCKOO_MINER_NODE_INACTIVE', 'rejected', (f: { node: string; role: string; bondWei: bigint }) => ({
  message:
    f.role === 'miner' ? `The node ${f.node} is not active: its bond is ${f.bondWei} wei.` : `The node ${f.node} is registered as '${f.role}', not as a miner.`,
  hint: 'A miner needs a bond of more than 20,000 CAI: `cuckoo node show` tells what is missing, `cuckoo bond <amount>` adds to it.',
}))

// ---- coordinators ----
export const minerCoordinatorUnknown = defineError('CUCKOO_MINER_COORDINATOR_UNKNOWN', 'rejected', (f: { coordinator: string; reason: string }) => ({
  message: `There is no coordinator to use at ${f.coordinator}: ${f.reason}.`,
  hint: '`cuckoo nodes --role coordinator` lists the active ones.',
}))
export const minerCoordinatorImpostor = defineError(
  'CUCKOO_MINER_COORDINATOR_IMPOSTOR',
  'invalid',
  (f: { url: string; coordinator: string; operator: string }) => ({
    message: `Whoever answers at ${f.url} is not coordinator ${f.coordinator}: the session is not signed by its operator ${f.operator}.`,
    hint: 'Check the URL in the coordinator’s profile; nothing was sent to it but the handshake.',
  }),
)
export const minerSessionElsewhere = defineError('CUCKOO_MINER_SESSION_ELSEWHERE', 'rejected', (f: { operator: string; url: string; waitedMs: number }) => ({
  message: `Another miner uses the operator key ${f.operator} at ${f.url}; its session still lived after ${f.waitedMs} ms.`,
  hint: 'Stop the other miner. One operator key runs in one place.',
}))

// ---- assignments that are not run ----
export const assignmentForeign = defineError('CUCKOO_MINER_ASSIGNMENT_FOREIGN', 'invalid', (f: { signer: string; operator: string }) => ({
  message: `The assignment is signed by ${f.signer}, not by the coordinator's operator ${f.operator}.`,
}))
export const assignmentMisdirected = defineError('CUCKOO_MINER_ASSIGNMENT_MISDIRECTED', 'invalid', (f: { field: string; found: string; expected: string }) => ({
  message: `The assignment names ${f.field} ${f.found}, expected ${f.expected}.`,
}))
export const assignmentHashMismatch = defineError(
  'CUCKOO_MINER_ASSIGNMENT_HASH_MISMATCH',
  'invalid',
  (f: { field: string; found: string; expected: string }) => ({
    message: `The ${f.field} of the content is ${f.found}, the assignment says ${f.expected}.`,
  }),
)
export const assignmentStale = defineError('CUCKOO_MINER_ASSIGNMENT_STALE', 'invalid', (f: { issuedAt: bigint; now: number; maximumSeconds: number }) => ({
  message: `The assignment was issued at ${f.issuedAt}, my clock says ${f.now} (unix seconds): more than ${f.maximumSeconds} s apart.`,
  hint: 'Set the clocks of both machines.',
}))
export const assignmentDeadlineInvalid = defineError(
  'CUCKOO_MINER_ASSIGNMENT_DEADLINE',
  'invalid',
  (f: { deadline: bigint; issuedAt: bigint; now: number }) => ({
    message: `The deadline ${f.deadline} is not between now (${f.now}) and one day after the issue (${f.issuedAt}).`,
  }),
)
export const assignmentAnswered = defineError('CUCKOO_MINER_ASSIGNMENT_ANSWERED', 'rejected', (f: { assignment: string }) => ({
  message: `The assignment ${f.assignment} was answered long ago: its output is gone, and no other result is signed for it.`,
}))
export const assignmentUnderpriced = defineError('CUCKOO_MINER_ASSIGNMENT_UNDERPRICED', 'rejected', (f: { unitPriceWei: bigint; minUnitPriceWei: bigint }) => ({
  message: `The unit price of ${f.unitPriceWei} wei is below this miner's minimum of ${f.minUnitPriceWei} wei.`,
}))
export const assignmentUnderfunded = defineError('CUCKOO_MINER_ASSIGNMENT_UNDERFUNDED', 'invalid', (f: { maxPriceWei: bigint; neededWei: bigint }) => ({
  message: `The highest price of ${f.maxPriceWei} wei does not cover the task's ${f.neededWei} wei.`,
}))
export const assignmentUncovered = defineError('CUCKOO_MINER_ASSIGNMENT_UNCOVERED', 'rejected', (f: { maxPriceWei: bigint; leftWei: bigint }) => ({
  message: `The task's highest price of ${f.maxPriceWei} wei is more than the ${f.leftWei} wei that the coordinator's line leaves this miner to earn.`,
}))
export const assignmentModelUnknown = defineError('CUCKOO_MINER_ASSIGNMENT_MODEL_UNKNOWN', 'invalid', (f: { manifest: string }) => ({
  message: `No model with the manifest ${f.manifest} is loaded here.`,
}))
export const assignmentKindMismatch = defineError('CUCKOO_MINER_ASSIGNMENT_KIND_MISMATCH', 'usage', (f: { kind: string; modelKind: string }) => ({
  message: `A task of kind '${f.kind}' does not fit a model of kind '${f.modelKind}'.`,
}))
export const assignmentOverLimits = defineError('CUCKOO_MINER_ASSIGNMENT_OVER_LIMITS', 'usage', (f: { limit: string; found: number; maximum: number }) => ({
  message: `The task asks for ${f.found} ${f.limit}, the model takes at most ${f.maximum}.`,
}))
export const assignmentUnsupported = defineError('CUCKOO_MINER_ASSIGNMENT_UNSUPPORTED', 'usage', (f: { what: string; found: string; supported: string }) => ({
  message: `The model does not do the ${f.what} ${f.found}; it does ${f.supported}.`,
}))

// ---- payments ----
export const voucherInvalid = defineError('CUCKOO_MINER_VOUCHER_INVALID', 'invalid', (f: { coordinator: string; problem: string }) => ({
  message: `The voucher of coordinator ${f.coordinator} does not count: ${f.problem}.`,
  hint: 'Nothing more is done on its word; `--block <address>` leaves it out.',
}))

// ---- tasks that end early ----
export const taskMediaMismatch = defineError(
  'CUCKOO_MINER_MEDIA_MISMATCH',
  'invalid',
  (f: { sha256: string; expectedBytes: number; foundSha256: string; foundBytes: number }) => ({
    message: `The coordinator sent ${f.foundBytes} bytes with SHA-256 ${f.foundSha256} as the medium ${f.sha256} of ${f.expectedBytes} bytes.`,
  }),
)
export const taskMediaLate = defineError('CUCKOO_MINER_MEDIA_LATE', 'unavailable', (f: { sha256: string; bytes: number; limitMs: number }) => ({
  message: `The coordinator did not hand over the medium ${f.sha256} of ${f.bytes} bytes within ${f.limitMs} ms.`,
}))
export const taskCrashed = defineError('CUCKOO_MINER_TASK_CRASHED', 'rejected', (f: { taskId: string; model: string }) => ({
  message: `The task ${f.taskId} ended the process, or the worker, that ran it in the model '${f.model}'.`,
  hint: 'It is not run here again for a day; `cuckoo miner status` lists such tasks. After three miners the coordinator gives it up.',
}))
export const taskPastDeadline = defineError('CUCKOO_MINER_TASK_PAST_DEADLINE', 'unavailable', (f: { deadline: bigint }) => ({
  message: `The task's deadline ${f.deadline} (unix seconds) passed while it ran.`,
}))
export const taskUnwanted = defineError('CUCKOO_MINER_TASK_UNWANTED', 'rejected', () => ({
  message: 'The coordinator no longer wants the result.',
}))
export const minerStuck = defineError(
  'CUCKOO_MINER_STUCK',
  'unavailable',
  (f: { models: string }) => ({
    message: `The miner ended without ${f.models}, which did not let go of what ran in it.`,
    hint: 'Start it again: a task that ran in it is refused for a day, and `cuckoo miner status` lists it. If it happens again, leave the model out or try `--device cpu`.',
  }),
  { endsProcess: true },
)
export const minerMemoryStuck = defineError(
  'CUCKOO_MINER_MEMORY_STUCK',
  'unavailable',
  (f: { neededBytes: number; stuckBytes: number; budgetBytes: number }) => ({
    message: `There is no place for ${f.neededBytes} bytes: of the ${f.budgetBytes} bytes for models, those whose runs or loading do not end hold ${f.stuckBytes}.`,
    hint: 'Restart the miner: `cuckoo miner drain`, then `cuckoo miner start`.',
  }),
)
export const minerStopped = defineError('CUCKOO_MINER_STOPPED', 'unavailable', () => ({
  message: 'The miner stops; the end of its session gives the task to another.',
}))
