import { modelNameInvalid, modelRevisionInvalid } from '../errors/inference.ts'

const partPattern = /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,95})$/

/**
 * Asserts that `model` is `owner/model` and nothing that could leave a models directory or break a URL.
 * @throws CUCKOO_MODEL_NAME_INVALID for anything else: `..`, `%2e`, NUL, backslashes, more or fewer slashes, over 200 characters
 */
export function assertModelName(model: string): void {
  const refuse = (problem: string) => modelNameInvalid({ model, problem })
  if (model.length > 200) throw refuse(`it has ${model.length} characters, at most 200 fit`)
  const parts = model.split('/')
  if (parts.length !== 2) throw refuse('it must be owner/model with one slash')
  if (model.includes('..')) throw refuse("it contains '..'")
  if (!parts.every((part) => partPattern.test(part))) throw refuse('it has characters that names cannot have')
}

/**
 * Asserts that `revision` is a branch, tag or commit, and nothing that could break a URL or a path.
 * @throws CUCKOO_MODEL_REVISION_INVALID for anything else
 */
export function assertRevision(model: string, revision: string): void {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}$/.test(revision) || revision.includes('..')) throw modelRevisionInvalid({ model, revision })
}
