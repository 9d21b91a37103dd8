const quote = 0x22
const backslash = 0x5c
const brace = 0x7b
const bracket = 0x5b

/**
 * Objects, arrays and strings (keys too) in JSON text, counted before a parser builds anything: each costs it some ten times the
 * bytes that it has on the wire. Stops counting above `limit`.
 * @example countJsonParts('{"a":["b",1]}', 10) // 4
 */
export function countJsonParts(text: string, limit: number): number {
  let parts = 0
  for (let index = 0; index < text.length && parts <= limit; index++) {
    const code = text.charCodeAt(index)
    if (code === brace || code === bracket) parts++
    else if (code === quote) {
      parts++
      for (index++; index < text.length && text.charCodeAt(index) !== quote; index++) if (text.charCodeAt(index) === backslash) index++
    }
  }
  return parts
}
