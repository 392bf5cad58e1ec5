/** Splits the text of a label selector into tokens (apimachinery labels.Lexer). */

/** A token; `end` closes every list. */
export interface LabelToken {
  readonly type: 'identifier' | 'in' | 'notin' | 'end' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<';
  readonly text: string;
}

const TOKEN = /[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^ \t\r\n=!(),<>]+)|$)/y;

/** The tokens of `text`. Every text can be split; what does not fit is the parser's business. */
export function scanLabelSelector(text: string): readonly LabelToken[] {
  const tokens: LabelToken[] = [];
  const expression = new RegExp(TOKEN);
  for (;;) {
    const [, symbol, word] = expression.exec(text) ?? [];
    if (symbol !== undefined) tokens.push({ type: symbolType(symbol), text: symbol });
    else if (word !== undefined) tokens.push({ type: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    else break;
  }
  tokens.push({ type: 'end', text: '' });
  return tokens;
}

function symbolType(symbol: string): LabelToken['type'] {
  switch (symbol) {
    case '(':
    case ')':
    case ',':
    case '!':
    case '=':
    case '==':
    case '!=':
    case '>':
    case '<':
      return symbol;
    default:
      return 'identifier';
  }
}
