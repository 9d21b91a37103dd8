/** A peer's words go to a terminal: no control characters, no endless lines, not many. */
const maxReasons = 10
const maxReasonCharacters = 300

/** A coordinator's reasons as they may be shown. */
export function toPlainReasons(reasons: readonly string[]): string[] {
  return reasons.slice(0, maxReasons).map((reason) => reason.replace(/\p{Cc}+/gu, ' ').slice(0, maxReasonCharacters))
}
