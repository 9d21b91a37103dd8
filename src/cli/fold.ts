import { stripVTControlCharacters } from 'node:util'

/**
 * `text` folded between words so that no line shows wider than `width`, as far as words allow; following lines start with
 * `indent` after the line's own. Lines that fit stay as they are.
 * @example fold('one two three', 8, '  ') // 'one two\n  three'
 */
export function fold(text: string, width: number, indent = ''): string {
  return text
    .split('\n')
    .map((line) => (toShownLength(line) <= width ? line : foldLine(line, width, indent)))
    .join('\n')
}

function toShownLength(text: string): number {
  return stripVTControlCharacters(text).length
}

function foldLine(text: string, width: number, indent: string): string {
  const own = /^ */.exec(text)?.[0] ?? ''
  const lines: string[] = []
  let line = ''
  for (const word of text.slice(own.length).split(' ')) {
    const start = lines.length === 0 ? own : own + indent
    if (line === '') line = start + word
    else if (toShownLength(line) + 1 + toShownLength(word) <= width) line += ` ${word}`
    else {
      lines.push(line)
      line = own + indent + word
    }
  }
  return [...lines, line].join('\n')
}

/**
 * A command line after `prompt`, folded between words as a shell reads it: never inside quotes, with a backslash at each break.
 * @example foldCommand("cuckoo run 'a b' --seed 5", 20, '$ ') // "$ cuckoo run 'a b' \\\n      --seed 5"
 */
export function foldCommand(command: string, width: number, prompt: string): string {
  const lines: string[] = []
  let line = prompt
  for (const word of command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []) {
    if (line.length + 3 + word.length > width) {
      lines.push(`${line} \\`)
      line = ' '.repeat(prompt.length + 3)
    }
    line += `${line === prompt || line.trim() === '' ? '' : ' '}${word}`
  }
  return [...lines, line].join('\n')
}

/** `text` cut to `width` characters at its start, which of a path says least. @example fitStart('onnx/model.onnx', 11) // '…model.onnx' */
export function fitStart(text: string, width: number): string {
  const characters = [...text]
  return characters.length <= width ? text : `…${characters.slice(characters.length - width + 1).join('')}`
}
