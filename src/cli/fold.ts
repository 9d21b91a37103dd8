/**
 * `text` folded between words so that no line is wider than `width`, as far as words allow; following lines start with `indent`.
 * @example fold('one two three', 8, '  ') // 'one two\n  three'
 */
export function fold(text: string, width: number, indent = ''): string {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line)
        line = indent + word
      } else line = line === '' ? word : `${line} ${word}`
    }
    lines.push(line)
  }
  return lines.join('\n')
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
