/** A document about one of Notion's formats, available as an MCP resource and with the tool `fetch`. */
export type NotionDocument = { uri: string; name: string; description: string; text: string }

export const DOCUMENTS: readonly NotionDocument[] = [
  {
    uri: 'notion://docs/enhanced-markdown-spec',
    name: 'enhanced-markdown-spec',
    description: 'How page content is written in Markdown.',
    text: `# Page content in Markdown

Ordinary Markdown for headings (three levels), lists, to-dos (\`- [ ]\`), quotes, code and inline styles. Everything that
Markdown has no form for is written as an XML-like tag:

- \`<page url="…">Title</page>\` is a child page, \`<database url="…" inline="false">Title</database>\` a child database.
  Removing such a line from the content moves the child to the trash.
- \`<mention-page url="…">\`, \`<mention-user url="user://…">\` and \`<mention-date start="YYYY-MM-DD">\` are mentions.
- \`<table header-row="true"><tr><td>…</td></tr></table>\` is a simple table.
- \`<callout icon="💡">…</callout>\`, \`<columns><column>…</column></columns>\`, \`<details><summary>…</summary>…</details>\`.

Characters that Markdown gives a meaning to are escaped with a backslash. Indentation is one tab per level.
`,
  },
  {
    uri: 'notion://docs/view-dsl-spec',
    name: 'view-dsl-spec',
    description: 'How views of a database are configured.',
    text: `# Configuring views

A configuration is a list of directives, separated by semicolons:

- \`FILTER "Property" = "value"\`
- \`SORT "Property" ASC\` or \`SORT "Property" DESC\`
- \`GROUP BY "Property"\`
- \`SHOW "Property", "Property"\` and \`HIDE "Property"\`
`,
  },
  {
    uri: 'notion://docs/skills',
    name: 'skills',
    description: 'What skills are and how to keep them.',
    text: `# Skills

A skill is a page with instructions that an agent can follow. Its first line says in one sentence when to use it. Pages become
skills with \`is_skill\` in create-pages or update-page.
`,
  },
]
