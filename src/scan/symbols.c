/*
 * The dynamic symbol table: what an object exports and imports.
 *
 * The table has no length of its own. Its section header gives it, and where
 * there is none the hash table does (image.h image_symbol_count()).
 */
#include "scan/object.h"

#include "sofold/image.h"

static size_t count_symbols(struct reader *reader, uint64_t symtab)
{
	Elf_Scn *section = NULL;
	GElf_Shdr shdr;

	while ((section = elf_nextscn(reader->elf, section)))
		if (gelf_getshdr(section, &shdr) && shdr.sh_type == SHT_DYNSYM && shdr.sh_addr == symtab &&
		    shdr.sh_entsize)
			return shdr.sh_size / shdr.sh_entsize;
	return image_symbol_count(reader->bytes);
}

static uint32_t symbol_flags(const GElf_Sym *symbol)
{
	uint32_t flags = 0;

	switch (GELF_ST_BIND(symbol->st_info)) {
	case STB_WEAK:
		flags |= SYMBOL_WEAK;
		break;
	case STB_GNU_UNIQUE:
		flags |= SYMBOL_UNIQUE;
		break;
	}
	switch (GELF_ST_TYPE(symbol->st_info)) {
	case STT_FUNC:
	case STT_GNU_IFUNC:
		flags |= SYMBOL_FUNCTION;
		break;
	case STT_OBJECT:
	case STT_COMMON:
		flags |= SYMBOL_DATA;
		break;
	case STT_TLS:
		flags |= SYMBOL_TLS;
		break;
	}
	return flags;
}

/* Local symbols, and those hidden from other objects, bind nobody. */
static bool is_visible(const GElf_Sym *symbol)
{
	unsigned visibility = GELF_ST_VISIBILITY(symbol->st_other);

	return GELF_ST_BIND(symbol->st_info) != STB_LOCAL && visibility != STV_HIDDEN &&
	       visibility != STV_INTERNAL;
}

static void take_symbol(struct reader *reader, const GElf_Sym *symbol, uint16_t versym)
{
	struct object *object = reader->object;
	unsigned index = versym & 0x7fff;
	bool imported = symbol->st_shndx == SHN_UNDEF;
	struct symbol *out;
	const char *name;

	/* Version 0 is local, 1 global without a version (VER_NDX_*). */
	if (!is_visible(symbol) || (!imported && index == VER_NDX_LOCAL && versym))
		return;
	name = reader_string(reader, symbol->st_name);
	if (!name || !*name)
		return;
	out = imported ? &object->imports[object->nr_imports++] : &object->exports[object->nr_exports++];
	*out = (struct symbol){.name = name, .size = symbol->st_size, .flags = symbol_flags(symbol)};
	if (index > VER_NDX_GLOBAL && index < reader->nr_versions)
		out->version = reader->versions[index];
	if (versym & 0x8000)
		out->flags |= SYMBOL_HIDDEN;
	if (!imported && !strncmp(name, "PyInit_", strlen("PyInit_")))
		object->is_extension = true;
}

static void take_symbols(struct reader *reader, Elf_Data *symbols, Elf_Data *versions, size_t nr)
{
	GElf_Versym versym;
	GElf_Sym symbol;
	size_t i;

	for (i = 1; i < nr && reader->sound; i++) {
		versym = VER_NDX_GLOBAL;
		if (!gelf_getsym(symbols, (int)i, &symbol) ||
		    (versions && !gelf_getversym(versions, (int)i, &versym))) {
			reader_fail(reader, "a dynamic symbol lies outside its table");
			return;
		}
		take_symbol(reader, &symbol, versym);
	}
}

void read_symbols(struct reader *reader)
{
	struct object *object = reader->object;
	uint64_t symtab, versym;
	Elf_Data *symbols, *versions = NULL;
	size_t nr;

	if (!reader_tag(reader, DT_SYMTAB, &symtab))
		return;
	nr = count_symbols(reader, symtab);
	if (!nr)
		return;
	symbols = nr <= reader->bytes.n
			  ? reader_table(reader, symtab,
					 nr * gelf_fsize(reader->elf, ELF_T_SYM, 1, EV_CURRENT), ELF_T_SYM)
			  : NULL;
	if (symbols && reader_tag(reader, DT_VERSYM, &versym)) {
		versions = reader_table(reader, versym, nr * sizeof(GElf_Versym), ELF_T_HALF);
		symbols = versions ? symbols : NULL;
	}
	if (!symbols) {
		reader_fail(reader, "the dynamic symbol table is not in any segment");
		return;
	}
	object->exports = arena_array(reader->arena, nr, sizeof *object->exports);
	object->imports = arena_array(reader->arena, nr, sizeof *object->imports);
	take_symbols(reader, symbols, versions, nr);
}
