/**
 * `text` up to the earliest of the stop strings, whole when none occurs. Outputs keep the tokens up to and including the one
 * that completed a stop string; what people read is cut here.
 * @example cutAtStop('One day.\nThe end', ['\n', 'end']) // 'One day.'
 */
export function cutAtStop(text: string, stop: readonly string[]): string {
  const positions = stop
    .filter((value) => value !== '')
    .map((value) => text.indexOf(value))
    .filter((position) => position >= 0)
  return positions.length === 0 ? text : text.slice(0, Math.min(...positions))
}
