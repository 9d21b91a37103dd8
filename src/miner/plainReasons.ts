import { toPlainText } from '../domain/plainText.ts'

/** A peer's words go to a terminal: not many, and short ones. */
const maxReasons = 10
const maxReasonCharacters = 300
/** As many models as a handshake may name. */
const maxRefused = 64

/** A coordinator's reasons as they may be shown. */
export function toPlainReasons(reasons: readonly string[]): string[] {
  return reasons.slice(0, maxReasons).map((reason) => toPlainText(reason, maxReasonCharacters))
}

/** A model that a coordinator has no tasks of, with its reason. */
export interface RefusedModel {
  model: string
  code: string
  message: string
}

/** A coordinator's refusals as they may be shown. */
export function toPlainRefused(refused: readonly RefusedModel[]): RefusedModel[] {
  return refused.slice(0, maxRefused).map(({ model, code, message }) => ({
    model: toPlainText(model, maxReasonCharacters),
    code: toPlainText(code, maxReasonCharacters),
    message: toPlainText(message, maxReasonCharacters),
  }))
}
