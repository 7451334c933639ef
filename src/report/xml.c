/* Text in XML 1.0, which has no way to say most control characters. */
#include <stdint.h>

#include "report/xml.h"
#include "sofold/report.h"

/* Bytes of the character at text, which is valid UTF-8 and may stand in XML; 0: not so. */
static unsigned character_bytes(const unsigned char *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = *text < 0x80 ? 1 : *text < 0xc0 ? 0 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4, i;
	uint32_t code = n < 2 ? *text : *text & (0x7fu >> n);

	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code == 0xfffe ||
	    code == 0xffff)
		return 0;
	return n;
}

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	}
	return NULL;
}

void xml_text(FILE *to, const char *text)
{
	for (text = report_shown(text); *text;) {
		unsigned n = character_bytes((const unsigned char *)text);
		const char *escaped = entity(*text);

		if (escaped)
			fputs(escaped, to);
		else if (n)
			fwrite(text, 1, n, to);
		else
			fputs("\xef\xbf\xbd", to);
		text += n ? n : 1;
	}
}

void xml_attribute(FILE *to, const char *name, const char *value)
{
	fprintf(to, " %s=\"", name);
	xml_text(to, value);
	fputc('"', to);
}
