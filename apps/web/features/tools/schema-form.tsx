'use client'

import { Plus, X } from 'lucide-react'
import { useId, useMemo, useState, type ReactNode } from 'react'
import { Button } from '@/components/ui/button.tsx'
import { cn } from '@/components/ui/class-names.ts'
import { inputStyle } from '@/components/ui/field.tsx'
import { JsonValue } from './json-value.tsx'
import { isSchema, type Schema } from './safe-schema.ts'
import { isValid, pointerTo, type Faults } from './schema-faults.ts'
import { fieldOf, hintsOf, isSame, resolved, variantName, type Field } from './schema.ts'
import { isExample, startOf } from './start-value.ts'

/** Values inside of more values than this are written as JSON: schemas can contain themselves. */
const DEEPEST = 10

interface ValueProps {
  readonly schema: Schema
  /** The whole schema, which references are about. */
  readonly root: Schema
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  /** JSON pointer. */
  readonly at: string
  readonly faults: Faults
}

/** The members of a call's arguments, as fields. */
export function SchemaForm({
  schema,
  value,
  onChange,
  faults,
}: Pick<ValueProps, 'schema' | 'value' | 'onChange' | 'faults'>) {
  const field = fieldOf(schema, schema)
  const props = { schema, root: schema, value, onChange, at: '', faults }
  if (takesNothing(schema, field)) return <p className="text-sm text-soft">This tool takes no arguments.</p>
  switch (field.kind) {
    case 'object':
      return <Members {...props} field={field} />
    case 'union':
      return <Union {...props} variants={field.variants} name="arguments" labels={NO_LABELS} />
    default:
      return (
        <div className="space-y-1.5">
          <p className="text-sm text-soft">This tool doesn’t describe its arguments. Enter them as JSON.</p>
          <JsonValue value={value} onChange={onChange} at="" label="Arguments" isObject />
        </div>
      )
  }
}

const NO_LABELS: Labels = { id: undefined, describedBy: '', isWrong: false }

/** Many tools without arguments say so by naming none. */
function takesNothing(schema: Schema, field: Field): boolean {
  if (field.kind === 'object') return field.properties.length === 0 && !field.rest
  const { properties } = resolved(schema, schema)
  return field.kind === 'json' && isSchema(properties) && Object.keys(properties).length === 0
}

type MembersProps = Omit<ValueProps, 'schema'> & { readonly field: Extract<Field, { kind: 'object' }> }

function Members({ field, root, value, onChange, at, faults }: MembersProps) {
  const known = isSchema(value) ? value : {}
  const set = (name: string, next: unknown) => onChange({ ...known, [name]: next })
  const unset = (name: string) => onChange(Object.fromEntries(Object.entries(known).filter(([key]) => key !== name)))
  const shown = field.properties.filter(({ name, isRequired }) => isRequired || Object.hasOwn(known, name))
  const offered = field.properties.filter((property) => !shown.includes(property))
  const named = new Set(field.properties.map(({ name }) => name))
  // What would be sent is shown, also where the schema does not mention it.
  const others = Object.keys(known).filter((name) => !named.has(name))
  const member = (name: string, schema: Schema, isRequired: boolean) => (
    <Member
      key={name}
      name={name}
      schema={schema}
      root={root}
      value={Object.hasOwn(known, name) ? known[name] : undefined}
      onChange={(next) => set(name, next)}
      onRemove={isRequired ? undefined : () => unset(name)}
      at={pointerTo(at, name)}
      faults={faults}
    />
  )
  return (
    <div className="space-y-4">
      {shown.map(({ name, schema, isRequired }) => member(name, schema, isRequired))}
      {others.map((name) => member(name, field.rest ?? {}, false))}
      {offered.length > 0 && (
        <div className="flex flex-wrap gap-1.5">
          {offered.map(({ name, schema }) => (
            <button
              key={name}
              type="button"
              onClick={() => set(name, startOf(schema, root))}
              className="inline-flex h-7 items-center gap-1 rounded-full border border-dashed border-line-strong px-2.5 text-xs text-soft hover:bg-sunken hover:text-ink"
            >
              <Plus aria-hidden className="size-3" />
              <span className="sr-only">Add </span>
              {name}
            </button>
          ))}
        </div>
      )}
      {field.rest && <NewMember onAdd={(name) => set(name, startOf(field.rest ?? {}, root))} taken={known} />}
    </div>
  )
}

function NewMember({ onAdd, taken }: { onAdd: (name: string) => void; taken: Schema }) {
  const [name, setName] = useState('')
  const add = () => {
    if (name.trim() === '' || Object.hasOwn(taken, name.trim())) return
    onAdd(name.trim())
    setName('')
  }
  return (
    <div className="flex gap-2">
      <input
        aria-label="New value name"
        placeholder="New value name"
        dir="auto"
        value={name}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return
          event.preventDefault()
          add()
        }}
        className={cn(inputStyle, 'h-8 text-[13px]')}
      />
      <Button look="secondary" size="small" onClick={add} disabled={name.trim() === ''}>
        Add value
      </Button>
    </div>
  )
}

function Member({
  name,
  onRemove,
  ...props
}: ValueProps & { readonly name: string; readonly onRemove: (() => void) | undefined }) {
  const id = useId()
  const { schema, root, at, faults } = props
  const isGroup = isGroupField(fieldOf(schema, root)) && depthOf(at) <= DEEPEST
  const about = [descriptionOf(resolved(schema, root)), ...hintsOf(resolved(schema, root))].filter(Boolean).join(' ')
  const fault = faults.get(at)
  const describedBy = [about !== '' && `${id}-about`, fault !== undefined && `${id}-fault`].filter(Boolean).join(' ')
  const notes = (
    <>
      {about !== '' && (
        <p id={`${id}-about`} className="text-[13px] break-words text-pretty text-soft">
          {about}
        </p>
      )}
      {fault !== undefined && (
        <p id={`${id}-fault`} className="text-[13px] break-words text-danger">
          {fault}
        </p>
      )}
    </>
  )
  const remove = onRemove && (
    <Button look="quiet" size="icon" className="size-6" aria-label={`Remove ${name}`} onClick={onRemove}>
      <X aria-hidden className="size-3.5!" />
    </Button>
  )
  const value = <Value {...props} labels={{ id, describedBy, isWrong: fault !== undefined }} name={name} />
  if (isGroup) {
    return (
      <fieldset
        className="min-w-0 space-y-2.5 rounded-xl border border-line p-3.5"
        aria-describedby={describedBy || undefined}
      >
        <legend className="-ml-1.5 flex items-center gap-1 px-1.5 text-sm font-medium break-words">
          {name}
          {remove}
        </legend>
        {notes}
        {value}
      </fieldset>
    )
  }
  return (
    <div className="space-y-1.5">
      <div className="flex items-center gap-1">
        <label htmlFor={id} className="min-w-0 text-sm font-medium break-words">
          {name}
        </label>
        {remove}
      </div>
      {value}
      {notes}
    </div>
  )
}

const isGroupField = ({ kind }: Field): boolean => ['object', 'array', 'union'].includes(kind)

const depthOf = (at: string): number => at.split('/').length - 1

/** Descriptions are written for language models, and can be of any length. */
const descriptionOf = ({ description }: Schema): string =>
  typeof description === 'string' ? description.slice(0, 2_000) : ''

interface Labels {
  /** Of the label's field; undefined where the field's name stands in `aria-label`. */
  readonly id: string | undefined
  readonly describedBy: string
  readonly isWrong: boolean
}

type FieldProps = ValueProps & { readonly labels: Labels; readonly name: string }

function Value(props: FieldProps): ReactNode {
  const { schema, root, value, onChange, labels, name, at, faults } = props
  const known = fieldOf(schema, root)
  const field: Field = isGroupField(known) && depthOf(at) > DEEPEST ? { kind: 'json' } : known
  const common = {
    id: labels.id,
    'aria-label': labels.id === undefined ? name : undefined,
    'aria-describedby': labels.describedBy || undefined,
    'aria-invalid': labels.isWrong || undefined,
  }
  switch (field.kind) {
    case 'object':
      return <Members field={field} root={root} value={value} onChange={onChange} at={at} faults={faults} />
    case 'array':
      return <Items {...props} field={field} />
    case 'union':
      return <Union {...props} variants={field.variants} />
    case 'choice':
      return <Choice common={common} values={field.values} value={value} onChange={onChange} />
    case 'boolean':
      return <Choice common={common} values={[true, false]} value={value} onChange={onChange} />
    case 'number':
      return (
        <input
          {...common}
          type="number"
          step={field.isInteger ? 1 : 'any'}
          min={field.minimum}
          max={field.maximum}
          value={typeof value === 'number' ? value : ''}
          onChange={({ target: { valueAsNumber } }) => onChange(Number.isFinite(valueAsNumber) ? valueAsNumber : null)}
          className={inputStyle}
        />
      )
    case 'text':
      return (
        <textarea
          {...common}
          rows={1}
          dir="auto"
          spellCheck={false}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.target.value)}
          onFocus={({ currentTarget }) => {
            if (isExample(resolved(schema, root), currentTarget.value)) currentTarget.select()
          }}
          className={cn(inputStyle, 'block field-sizing-content h-auto max-h-60 min-h-10 resize-none py-2')}
        />
      )
    case 'constant':
      return <Constant common={common} expected={field.value} value={value} onChange={onChange} />
    case 'json':
      return <JsonValue value={value} onChange={onChange} at={at} label={name} common={common} />
  }
}

type Common = Readonly<Record<string, string | boolean | undefined>>

interface ChoiceProps {
  readonly common: Common
  readonly values: readonly unknown[]
  readonly value: unknown
  readonly onChange: (value: unknown) => void
}

function Choice({ common, values, value, onChange }: ChoiceProps) {
  const index = values.findIndex((one) => isSame(one, value))
  const areTexts = values.every((one) => typeof one === 'string')
  return (
    <select
      {...common}
      value={index}
      onChange={(event) => onChange(values[Number(event.target.value)])}
      className={inputStyle}
    >
      {index < 0 && <option value={-1}>Choose</option>}
      {values.map((one, at) => (
        // Choices have no identity of their own and are never moved.
        <option key={at} value={at}>
          {areTexts ? String(one) : JSON.stringify(one)}
        </option>
      ))}
    </select>
  )
}

/** The only value that is possible here. One that came from elsewhere and differs can be corrected. */
function Constant({ common, expected, value, onChange }: Omit<ChoiceProps, 'values'> & { readonly expected: unknown }) {
  if (!isSame(value, expected)) return <Choice common={common} values={[expected]} value={value} onChange={onChange} />
  return (
    <output {...common} className="block font-mono text-[13px] break-words text-soft">
      {JSON.stringify(expected)}
    </output>
  )
}

function Items({
  field,
  root,
  value,
  onChange,
  at,
  faults,
}: FieldProps & { field: Extract<Field, { kind: 'array' }> }) {
  const known: readonly unknown[] = Array.isArray(value) ? (value as unknown[]) : []
  const next = field.prefix[known.length] ?? field.items
  return (
    <div className="space-y-3">
      {known.map((item, index) => (
        <Member
          // Items are told apart by nothing but their place.
          key={index}
          name={`${index + 1}`}
          schema={field.prefix[index] ?? field.items ?? {}}
          root={root}
          value={item}
          onChange={(changed) => onChange(known.with(index, changed))}
          onRemove={() => onChange(known.filter((_, other) => other !== index))}
          at={pointerTo(at, index)}
          faults={faults}
        />
      ))}
      {next && (
        <Button look="secondary" size="small" onClick={() => onChange([...known, startOf(next, root)])}>
          <Plus aria-hidden />
          Add item
        </Button>
      )}
    </div>
  )
}

function Union({ variants, ...props }: FieldProps & { readonly variants: readonly Schema[] }) {
  const { root, value, onChange, name, labels } = props
  // Nothing says which form a value has: the first that fits, or the one that the user chose or worked on.
  const [chosen, setChosen] = useState<number>()
  const fitting = useMemo(() => variants.findIndex((variant) => isValid(variant, root, value)), [variants, root, value])
  const index = chosen ?? Math.max(0, fitting)
  const variant = variants[index] ?? {}
  return (
    <div className="space-y-3">
      <select
        aria-label={`Form of ${name}`}
        value={index}
        onChange={(event) => {
          const next = Number(event.target.value)
          setChosen(next)
          onChange(converted(value, variants[next] ?? {}, root))
        }}
        className={cn(inputStyle, 'h-9 text-sm')}
      >
        {variants.map((one, at) => (
          // Variants have no name of their own and are never moved.
          <option key={at} value={at}>
            {variantName(one, root, at)}
          </option>
        ))}
      </select>
      <Value
        {...props}
        key={index}
        schema={variant}
        onChange={(next) => {
          setChosen(index)
          onChange(next)
        }}
        // The group's legend names no field.
        labels={{ ...labels, id: undefined }}
      />
    </div>
  )
}

/** The beginning of another form, with what the value already says of it. */
function converted(value: unknown, variant: Schema, root: Schema): unknown {
  const begun = startOf(variant, root)
  const field = fieldOf(variant, root)
  if (field.kind !== 'object' || !isSchema(value) || !isSchema(begun)) return begun
  const kept = field.properties.filter(
    ({ name, schema }) => Object.hasOwn(value, name) && isValid(schema, root, value[name]),
  )
  return { ...begun, ...Object.fromEntries(kept.map(({ name }) => [name, value[name]])) }
}
