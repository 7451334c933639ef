/*
 * The dynamic symbol table: what an object exports and imports.
 *
 * The table has no length of its own. Its section header gives it, and where
 * there is none the hash table does (image.h image_symbol_count()).
 */
#include "scan/object.h"

#include "layer/exports.h"
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

/* Version 0 is local, 1 global without a version (VER_NDX_*). */
static bool is_wanted(const GElf_Sym *symbol, GElf_Versym versym, bool versioned)
{
	return is_visible(symbol) && symbol->st_name &&
	       (symbol->st_shndx == SHN_UNDEF || !versioned || (versym & 0x7fff) != VER_NDX_LOCAL);
}

/* What an exported name says of the object. n: its length. */
static void note_export(struct reader *reader, const char *name, size_t n)
{
	static const char module[] = "PyInit_", openblas[] = "openblas_get_config";

	if (n >= strlen(module) && !memcmp(name, module, strlen(module)))
		reader->object->is_extension = true;
	else if (n >= strlen(openblas) && !reader->is_openblas)
		reader->is_openblas = strstr(name, openblas);
}

static void take_symbol(struct reader *reader, const GElf_Sym *symbol, GElf_Versym versym, size_t at)
{
	struct object *object = reader->object;
	unsigned index = versym & 0x7fff;
	bool imported = symbol->st_shndx == SHN_UNDEF;
	const char *name = reader_string(reader, symbol->st_name);
	struct symbol *out;
	size_t n;

	if (!name)
		return;
	n = strlen(name);
	out = imported ? &object->imports[object->nr_imports++] : &object->exports[object->nr_exports++];
	*out = (struct symbol){
		.name = name,
		.size = symbol->st_size,
		.flags = symbol_flags(symbol),
		.index = (uint32_t)at,
		.hash = export_hash(name, n),
	};
	if (index > VER_NDX_GLOBAL && index < reader->nr_versions)
		out->version = reader->versions[index];
	if (versym & 0x8000)
		out->flags |= SYMBOL_HIDDEN;
	if (!imported)
		note_export(reader, name, n);
}

struct table {
	Elf_Data *symbols, *versions; /* versions: NULL without .gnu.version */
	size_t nr;
};

static bool read_entry(struct reader *reader, const struct table *table, size_t i, GElf_Sym *symbol,
		       GElf_Versym *versym)
{
	*versym = VER_NDX_GLOBAL;
	if (gelf_getsym(table->symbols, (int)i, symbol) &&
	    (!table->versions || gelf_getversym(table->versions, (int)i, versym)))
		return true;
	reader_fail(reader, "a dynamic symbol lies outside its table");
	return false;
}

/* Twice over the table: first to count, since thousands of slots that stay
 * empty would cost more than a second look. */
static void take_symbols(struct reader *reader, const struct table *table)
{
	struct object *object = reader->object;
	size_t i, exports = 0, imports = 0;
	GElf_Versym versym;
	GElf_Sym symbol;

	for (i = 1; i < table->nr && read_entry(reader, table, i, &symbol, &versym); i++) {
		if (!is_wanted(&symbol, versym, table->versions))
			continue;
		if (symbol.st_shndx == SHN_UNDEF)
			imports++;
		else
			exports++;
	}
	object->exports = arena_array(reader->arena, exports, sizeof *object->exports);
	object->imports = arena_array(reader->arena, imports, sizeof *object->imports);
	for (i = 1; i < table->nr && reader->sound; i++)
		if (read_entry(reader, table, i, &symbol, &versym) &&
		    is_wanted(&symbol, versym, table->versions))
			take_symbol(reader, &symbol, versym, i);
}

static Elf_Data *open_symbols(struct reader *reader, uint64_t symtab, size_t nr)
{
	/* The count is the file's word: no more than the file has bytes. */
	if (nr > reader->bytes.n)
		return NULL;
	return reader_table(reader, symtab, nr * gelf_fsize(reader->elf, ELF_T_SYM, 1, EV_CURRENT),
			    ELF_T_SYM);
}

void read_symbols(struct reader *reader)
{
	uint64_t symtab, versym;
	struct table table = {0};

	if (!reader_tag(reader, DT_SYMTAB, &symtab))
		return;
	table.nr = count_symbols(reader, symtab);
	if (!table.nr)
		return;
	table.symbols = open_symbols(reader, symtab, table.nr);
	if (reader_tag(reader, DT_VERSYM, &versym)) {
		table.versions = reader_table(reader, versym, table.nr * sizeof(GElf_Versym), ELF_T_HALF);
		if (!table.versions)
			table.symbols = NULL;
	}
	if (!table.symbols)
		reader_fail(reader, "the dynamic symbol table is not in any segment");
	else
		take_symbols(reader, &table);
}
