import * as z from 'zod';

const line = z.string().regex(/^[^\0\n]+$/, 'one line');

/** Place that facts of a site come from: a page of a machine's documentation, a manual, a person. */
export const SourcePage = z.strictObject({
  title: line,
  /** Address of the page, if it has one. */
  url: z.url({ protocol: /^https?$/ }).optional(),
  /** Date of the text itself, if that is known: of its last change, or of the version that was read. */
  dated: z.iso.date().optional(),
});
export type SourcePage = z.infer<typeof SourcePage>;

/** Reason of a field of a site, or of all fields of an object of it. */
export const SiteFact = z.strictObject({
  /** Page that says it, by its name among the `pages`. */
  page: z.string(),
  /** Content of the page that the value follows from, in a sentence. */
  says: line,
});
export type SiteFact = z.infer<typeof SiteFact>;

/** Sources of a site's fields, and what they leave open. */
export const SiteSources = z
  .strictObject({
    /** Machine that the site describes, and its centre, in a line. */
    about: line.optional(),
    /** Day on which the pages were read. */
    read: z.iso.date(),
    pages: z.record(z.string().regex(/^[\w-]+$/, 'letters, digits, "_" and "-"'), SourcePage),
    /** Reasons by the field, as `site show` writes it: `node.cores`, or `queues.debug` for everything that it says. */
    facts: z.record(z.string(), SiteFact),
    /** Matters that no page settles, each with what the user may do about it. */
    open: z.array(line).default([]),
  })
  .superRefine(({ pages, facts }, context) => {
    for (const [field, { page }] of Object.entries(facts)) {
      if (Object.hasOwn(pages, page)) continue;
      const message = `pages has no '${page}'`;
      context.addIssue({ code: 'custom', path: ['facts', field, 'page'], message });
    }
  });
export type SiteSources = z.infer<typeof SiteSources>;

/** Field whose reason holds for a field: its own, or that of the nearest object around it. */
export function factFor({ facts }: Pick<SiteSources, 'facts'>, field: readonly string[]): string | undefined {
  const names = field.map((_, index) => field.slice(0, field.length - index).join('.'));
  return names.find((name) => Object.hasOwn(facts, name));
}
