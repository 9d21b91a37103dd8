import { defineError } from './cuckooError.ts'

export const runInputMissing = defineError('CUCKOO_RUN_INPUT_MISSING', 'usage', (f: { kind: string; missing: string; example: string }) => ({
  message: `A task of kind '${f.kind}' needs ${f.missing}.`,
  hint: `Write it like: ${f.example}`,
}))
export const runOptionUnfit = defineError('CUCKOO_RUN_OPTION_UNFIT', 'usage', (f: { option: string; kind: string; fits: string }) => ({
  message: `${f.option} means nothing to a task of kind '${f.kind}'.`,
  hint: `Leave it out, or give --kind with one that it is for: ${f.fits}.`,
}))
export const runParamInvalid = defineError('CUCKOO_RUN_PARAM_INVALID', 'usage', (f: { param: string; kind: string; problem: string; known: string }) => ({
  message: `'${f.param}' (--param) ${f.problem}.`,
  hint: f.known === '' ? `A task of kind '${f.kind}' takes no parameters.` : `A task of kind '${f.kind}' takes ${f.known}: write --param name=value.`,
}))
export const runCancelled = defineError('CUCKOO_RUN_CANCELLED', 'rejected', (f: { taskId: string }) => ({
  message: `The task ${f.taskId} was cancelled.`,
  hint: 'Send it again.',
}))
export const runModelMissing = defineError('CUCKOO_RUN_MODEL_MISSING', 'rejected', (f: { kind: string; known: string }) => ({
  message: `No miner here offers a model for '${f.kind}'.`,
  hint: f.known === '' ? 'No model is offered yet: start a miner with one.' : `Models here: ${f.known}. Start a miner with another.`,
}))
