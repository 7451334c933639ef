/*
 * image_edit(): from bytes and edits to bytes.
 *
 *	load      check the file and read its headers
 *	live      find out what must stay
 *	symbols   take symbols nobody asks for out of the tables that list them
 *	cuts      less what nobody needs, by a pass's word
 *	names     gather all name edits into patches
 *	layout    give every chunk a place in the new file, and write it
 *
 * The input is never changed, and the same input gives the same output.
 */
#include "image/layout.h"

/* What ends last of all that headers describe. */
static uint64_t described_end(const struct image *image)
{
	uint64_t end = image->ehdr.e_phoff + image->nr_phdrs * sizeof(Elf64_Phdr);
	size_t i;

	for (i = 0; i < image->nr_phdrs; i++)
		if (image->phdrs[i].p_offset + image->phdrs[i].p_filesz > end)
			end = image->phdrs[i].p_offset + image->phdrs[i].p_filesz;
	for (i = 1; i < image->nr_shdrs; i++)
		if (image->shdrs[i].sh_type != SHT_NOBITS && image->shdrs[i].sh_type != SHT_NULL &&
		    image->shdrs[i].sh_offset + image->shdrs[i].sh_size > end)
			end = image->shdrs[i].sh_offset + image->shdrs[i].sh_size;
	if (image->nr_shdrs && image->ehdr.e_shoff + image->nr_shdrs * sizeof(Elf64_Shdr) > end)
		end = image->ehdr.e_shoff + image->nr_shdrs * sizeof(Elf64_Shdr);
	return end;
}

/* Self-extracting programs keep their payload behind the ELF image; patchelf
 * pads with zeros. */
static int check_nothing_behind(const struct image *image, struct error *err)
{
	uint64_t i;

	for (i = described_end(image); i < image->file.n; i++)
		if (image->file.p[i])
			return error_add(err, ERROR_REFUSED, "data follows the ELF image");
	return 0;
}

static int check_page(const struct image_edits *edits)
{
	return edits->page >= 4096 && !(edits->page & (edits->page - 1));
}

int draft_layout(struct draft *draft, struct image_result *result, struct error *err)
{
	struct layout layout = {.draft = draft};

	if (layout_chunks(&layout, err) || layout_sections(&layout, err))
		return ERROR_REFUSED;
	/* A wild p_align, where no section headers say what it was for. */
	if (layout.size > draft->image->file.n * 2 + (1 << 20))
		return error_add(err, ERROR_REFUSED, "the new file would be much larger");
	layout_write(&layout, result);
	return 0;
}

int image_check(struct span file, struct error *err)
{
	struct arena *scratch = arena_new();
	struct image image;
	int rc = image_load(scratch, file, &image, err);

	if (!rc)
		rc = check_nothing_behind(&image, err);
	arena_free(scratch);
	return rc;
}

size_t image_symbol_count(struct span file)
{
	struct arena *scratch = arena_new();
	struct error ignored = {0};
	struct image image;
	size_t nr = image_load(scratch, file, &image, &ignored) ? 0 : image.nr_symbols;

	arena_free(scratch);
	return nr;
}

int image_lay_out(struct arena *arena, struct span file, const struct image_edits *edits,
		  struct image_result *result, struct error *err)
{
	struct image image;
	struct draft draft = {.arena = arena,
			      .image = &image,
			      .edits = edits,
			      .live.arena = arena,
			      .dead.arena = arena,
			      .shortened.arena = arena,
			      .zeros.arena = arena};

	*result = (struct image_result){.cuts = edits->cuts};
	if (!check_page(edits))
		BUG("not a page size");
	if (image_load(arena, file, &image, err) || check_nothing_behind(&image, err))
		return ERROR_REFUSED;
	/* Offsets follow addresses, and the header stays at offset 0. */
	if (edits->compact && image.loads[0].p_vaddr & (edits->page - 1))
		return error_add(err, ERROR_REFUSED,
				 "the first segment's address is no multiple of the page size");
	result->was_patched = !image_is_as_linked(&image);
	draft.loads = arena_memdup(arena, image.loads, image.nr_loads * sizeof *image.loads);
	draft.all_live = !image_live(&image, edits->compact, &draft.live);
	if (draft_symbols(&draft, err) || draft_cuts(&draft, err) || draft_names(&draft, err))
		return ERROR_REFUSED;
	return draft_layout(&draft, result, err);
}

int image_edit(struct arena *arena, struct span file, const struct image_edits *edits,
	       struct image_result *result, struct error *err)
{
	int rc = image_lay_out(arena, file, edits, result, err);
	uint8_t *bytes;

	if (rc)
		return rc;
	bytes = arena_alloc(arena, result->size);
	image_assemble(result, bytes);
	result->bytes = (struct span){bytes, result->size};
	return 0;
}
