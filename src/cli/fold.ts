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
