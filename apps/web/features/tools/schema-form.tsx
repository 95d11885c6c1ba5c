'use client'

import { Validator, type Schema as JsonSchema } from '@cfworker/json-schema'
import { Plus, X } from 'lucide-react'
import { useId, useState, type ReactNode } from 'react'
import { Button } from '../../components/ui/button.tsx'
import { cn } from '../../components/ui/class-names.ts'
import { inputStyle } from '../../components/ui/field.tsx'
import { fieldOf, isSchema, resolved, startOf, variantName, type Field, type Schema } from './schema.ts'

/** What is wrong, by the JSON pointer of the value that it is about. */
export type Faults = ReadonlyMap<string, string>

/** By the rules of JSON Schema 2020-12; without compiling the schema to code, which our Content-Security-Policy forbids. */
export function faultsOf(schema: Schema, value: unknown): Faults {
  const faults = new Map<string, string>()
  try {
    const { errors } = new Validator(schema as JsonSchema, '2020-12', false).validate(value)
    for (const { keyword, instanceLocation, error } of errors) {
      const pointer = decodeURIComponent(instanceLocation.slice(1))
      // These only say that something below is wrong.
      if (
        !['properties', 'items', 'anyOf', 'oneOf', 'allOf', '$ref', 'additionalProperties', 'false'].includes(keyword)
      )
        faults.set(pointer, error)
    }
    if (errors.length > 0 && faults.size === 0) {
      const deepest = errors.toSorted((a, b) => b.instanceLocation.length - a.instanceLocation.length)[0]
      faults.set(decodeURIComponent(deepest?.instanceLocation.slice(1) ?? ''), deepest?.error ?? '')
    }
  } catch {
    // A schema that cannot be understood forbids nothing; the server will say what it expects.
  }
  return faults
}

interface ValueProps {
  readonly schema: Schema
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
  if (field.kind !== 'object') return <JsonValue value={value} onChange={onChange} label="Arguments" />
  if (field.properties.length === 0 && !field.rest) {
    return <p className="text-sm text-soft">This tool takes no arguments.</p>
  }
  return <Members field={field} root={schema} value={value} onChange={onChange} at="" faults={faults} />
}

type MembersProps = Omit<ValueProps, 'schema'> & { readonly field: Extract<Field, { kind: 'object' }> }

function Members({ field, root, value, onChange, at, faults }: MembersProps) {
  const known = isSchema(value) ? value : {}
  const set = (name: string, next: unknown) => onChange({ ...known, [name]: next })
  const unset = (name: string) => onChange(Object.fromEntries(Object.entries(known).filter(([key]) => key !== name)))
  const shown = field.properties.filter(({ name, isRequired }) => isRequired || name in known)
  const offered = field.properties.filter((property) => !shown.includes(property))
  const named = new Set(field.properties.map(({ name }) => name))
  const others = field.rest ? Object.keys(known).filter((name) => !named.has(name)) : []
  return (
    <div className="space-y-4">
      {shown.map(({ name, schema, isRequired }) => (
        <Member
          key={name}
          name={name}
          schema={schema}
          root={root}
          value={known[name]}
          onChange={(next) => set(name, next)}
          onRemove={isRequired ? undefined : () => unset(name)}
          at={`${at}/${name}`}
          faults={faults}
        />
      ))}
      {others.map((name) => (
        <Member
          key={name}
          name={name}
          schema={field.rest ?? {}}
          root={root}
          value={known[name]}
          onChange={(next) => set(name, next)}
          onRemove={() => unset(name)}
          at={`${at}/${name}`}
          faults={faults}
        />
      ))}
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
    if (name.trim() === '' || name in taken) return
    onAdd(name.trim())
    setName('')
  }
  return (
    <div className="flex gap-2">
      <input
        aria-label="Name of a new value"
        placeholder="Name of a new value"
        value={name}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return
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
  const field = fieldOf(schema, root)
  const description = resolved(schema, root)['description']
  const fault = faults.get(at)
  const isGroup = field.kind === 'object' || field.kind === 'array' || field.kind === 'union'
  const describedBy = [typeof description === 'string' && `${id}-about`, fault !== undefined && `${id}-fault`]
    .filter(Boolean)
    .join(' ')
  const about = (
    <>
      {typeof description === 'string' && (
        <p id={`${id}-about`} className="text-[13px] text-pretty text-soft">
          {description}
        </p>
      )}
      {fault !== undefined && (
        <p id={`${id}-fault`} className="text-[13px] text-danger">
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
  const labels = { id, describedBy, isWrong: fault !== undefined }
  if (isGroup) {
    return (
      <fieldset
        className="min-w-0 space-y-2.5 rounded-xl border border-line p-3.5"
        aria-describedby={describedBy || undefined}
      >
        <legend className="-ml-1.5 flex items-center gap-1 px-1.5 text-sm font-medium">
          {name}
          {remove}
        </legend>
        {about}
        <Value {...props} labels={labels} name={name} />
      </fieldset>
    )
  }
  return (
    <div className="space-y-1.5">
      <div className="flex items-center gap-1">
        <label htmlFor={id} className="text-sm font-medium">
          {name}
        </label>
        {remove}
      </div>
      <Value {...props} labels={labels} name={name} />
      {about}
    </div>
  )
}

interface Labels {
  readonly id: string
  readonly describedBy: string
  readonly isWrong: boolean
}

type FieldProps = ValueProps & { readonly labels: Labels; readonly name: string }

function Value(props: FieldProps): ReactNode {
  const { schema, root, value, onChange, labels, name, at, faults } = props
  const field = fieldOf(schema, root)
  const common = {
    id: labels.id,
    'aria-describedby': labels.describedBy || undefined,
    'aria-invalid': labels.isWrong || undefined,
  }
  switch (field.kind) {
    case 'object':
      return <Members field={field} root={root} value={value} onChange={onChange} at={at} faults={faults} />
    case 'array':
      return <Items {...props} items={field.items} />
    case 'union':
      return <Union {...props} variants={field.variants} />
    case 'choice':
      return (
        <select
          {...common}
          value={field.values.findIndex((one) => one === value)}
          onChange={(event) => onChange(field.values[Number(event.target.value)])}
          className={inputStyle}
        >
          {!field.values.includes(value) && <option value={-1}>Choose</option>}
          {field.values.map((one, index) => (
            <option key={String(one)} value={index}>
              {String(one)}
            </option>
          ))}
        </select>
      )
    case 'boolean':
      return (
        <select
          {...common}
          value={String(value === true)}
          onChange={(event) => onChange(event.target.value === 'true')}
          className={inputStyle}
        >
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      )
    case 'number':
      return (
        <input
          {...common}
          type="number"
          step={field.isInteger ? 1 : 'any'}
          min={field.minimum}
          max={field.maximum}
          value={typeof value === 'number' ? value : ''}
          onChange={(event) => onChange(event.target.value === '' ? null : event.target.valueAsNumber)}
          className={inputStyle}
        />
      )
    case 'text':
      return (
        <textarea
          {...common}
          rows={1}
          spellCheck={false}
          value={typeof value === 'string' ? value : ''}
          onChange={(event) => onChange(event.target.value)}
          onKeyDown={(event) => {
            // As in a field of one line; longer texts are made with Shift+Enter or pasted.
            if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
            event.preventDefault()
            event.currentTarget.form?.requestSubmit()
          }}
          className={cn(inputStyle, 'block field-sizing-content h-auto max-h-60 min-h-10 resize-none py-2')}
        />
      )
    case 'constant':
      return (
        <p id={labels.id} className="font-mono text-[13px] text-soft">
          {JSON.stringify(field.value)}
        </p>
      )
    case 'json':
      return <JsonValue value={value} onChange={onChange} label={name} common={common} />
  }
}

function Items({ items, root, value, onChange, at, faults }: FieldProps & { readonly items: Schema }) {
  const known: readonly unknown[] = Array.isArray(value) ? (value as unknown[]) : []
  return (
    <div className="space-y-3">
      {known.map((item, index) => (
        <Member
          // Items are told apart by nothing but their place.
          key={index}
          name={`${index + 1}`}
          schema={items}
          root={root}
          value={item}
          onChange={(next) => onChange(known.with(index, next))}
          onRemove={() => onChange(known.filter((_, other) => other !== index))}
          at={`${at}/${index}`}
          faults={faults}
        />
      ))}
      <Button look="secondary" size="small" onClick={() => onChange([...known, startOf(items, root)])}>
        <Plus aria-hidden />
        Add item
      </Button>
    </div>
  )
}

function Union({ variants, ...props }: FieldProps & { readonly variants: readonly Schema[] }) {
  const { root, value, onChange, name } = props
  // Which form a value has is not said anywhere; what fits is taken, and what the person chose while several fit.
  const [chosen, setChosen] = useState<number>()
  const fitting = variants.findIndex((variant) => faultsOf({ ...variant, $defs: root['$defs'] }, value).size === 0)
  const index = chosen ?? Math.max(0, fitting)
  const variant = variants[index] ?? {}
  const isGroup = ['object', 'array', 'union'].includes(fieldOf(variant, root).kind)
  const choice = (
    <select
      aria-label={`Form of ${name}`}
      value={index}
      onChange={(event) => {
        const next = Number(event.target.value)
        setChosen(next)
        onChange(startOf(variants[next] ?? {}, root))
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
  )
  return (
    <div className="space-y-3">
      {choice}
      <Value {...props} schema={variant} labels={{ ...props.labels, ...(isGroup ? { id: '' } : {}) }} key={index} />
    </div>
  )
}

interface JsonValueProps {
  readonly value: unknown
  readonly onChange: (value: unknown) => void
  readonly label: string
  readonly common?: Readonly<Record<string, string | boolean | undefined>>
  readonly rows?: number
}

/** A value as JSON text. While the text is no JSON, the value stays as it was, and the form is not sent. */
export function JsonValue({ value, onChange, label, common = {}, rows = 3 }: JsonValueProps) {
  const [draft, setDraft] = useState<string>()
  const isWrong = draft !== undefined && !isJson(draft)
  return (
    <div className="space-y-1.5">
      <textarea
        // The form asks it whether it may be sent.
        ref={(element) => element?.setCustomValidity(isWrong ? 'This is not JSON.' : '')}
        aria-label={common['id'] ? undefined : label}
        {...common}
        aria-invalid={isWrong || undefined}
        rows={rows}
        spellCheck={false}
        value={draft ?? JSON.stringify(value, null, 2)}
        onChange={(event) => {
          const { value: text } = event.target
          try {
            onChange(JSON.parse(text))
            // What is valid JSON but written in another way stays as the person wrote it.
            setDraft(JSON.stringify(JSON.parse(text), null, 2) === text ? undefined : text)
          } catch {
            setDraft(text)
          }
        }}
        onBlur={() => {
          if (draft !== undefined && isJson(draft)) setDraft(undefined)
        }}
        className={cn(
          inputStyle,
          'block field-sizing-content h-auto max-h-96 min-h-20 py-2 font-mono text-[13px] leading-relaxed',
        )}
      />
      {isWrong && (
        <p role="alert" className="text-[13px] text-danger">
          This is not JSON.
        </p>
      )}
    </div>
  )
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
