/** Files of protobuf messages, edited field by field. */

/** A field of a protobuf message: a varint, or the bytes of wire types 2 and 5. */
export interface Field {
  number: number
  wire: number
  value: number
  bytes: Buffer
}
/** What becomes of fields, by number; the others stay. */
type Edits = Record<number, (field: Field) => Buffer>

function toVarint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Buffer.from([...bytes, value])
}
export const toNumber = (number: number, value: number) => Buffer.concat([toVarint(number * 8), toVarint(value)])
export const toBytes = (number: number, bytes: Buffer) => Buffer.concat([toVarint(number * 8 + 2), toVarint(bytes.length), bytes])

function readFields(message: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  const readVarint = () => {
    let [value, scale, byte] = [0, 1, 128]
    for (; byte >= 128; scale *= 128) {
      byte = message[at++] as number
      value += (byte % 128) * scale
    }
    return value
  }
  while (at < message.length) {
    const tag = readVarint()
    const wire = tag % 8
    const value = wire === 5 ? 4 : readVarint()
    const length = wire === 0 ? 0 : value
    fields.push({ number: Math.floor(tag / 8), wire, value, bytes: message.subarray(at, at + length) })
    at += length
  }
  return fields
}

export function editFields(message: Buffer, edits: Edits): Buffer {
  return Buffer.concat(
    readFields(message).map((field) => {
      const { number, wire, value, bytes } = field
      const edit = edits[number]
      if (edit !== undefined) return edit(field)
      if (wire === 0) return toNumber(number, value)
      return wire === 5 ? Buffer.concat([toVarint(number * 8 + 5), bytes]) : toBytes(number, bytes)
    }),
  )
}

/** The edit of a message within a message. */
export const within = (edits: Edits) => (field: Field) => toBytes(field.number, editFields(field.bytes, edits))
export const findText = (message: Buffer, number: number) =>
  readFields(message)
    .find((field) => field.number === number)
    ?.bytes.toString() ?? ''
export const findNumber = (message: Buffer, number: number) => readFields(message).find((field) => field.number === number)?.value
