package coding

// escape announces a character of the extension table (3GPP TS 23.038 section 6.2.1.1).
const escape = 0x1B

// defaultAlphabet holds the GSM 7-bit default alphabet in the order of its codes, 0x00 to 0x7F.
const defaultAlphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" +
	" !\"#¤%&'()*+,-./0123456789:;<=>?" +
	"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
	"¿abcdefghijklmnopqrstuvwxyzäöñüà"

// extension holds the characters that follow an escape, with their codes.
var extension = [...]struct {
	code byte
	char rune
}{
	{0x0A, '\f'},
	{0x14, '^'},
	{0x28, '{'},
	{0x29, '}'},
	{0x2F, '\\'},
	{0x3C, '['},
	{0x3D, '~'},
	{0x3E, ']'},
	{0x40, '|'},
	{0x65, '€'},
}

const (
	extended  = 0x80 // flag in septetOf's result: the character needs an escape first
	noSeptet  = 0xFF // the character is not in the alphabet; no extended character has the code 0x7F
	greekLow  = 0x0393
	greekHigh = 0x03A9
	euro      = '€'
)

// toSeptet maps Latin-1, greekSeptet the capital Greek letters; both are filled once from the two tables above.
var (
	toSeptet, greekSeptet = encodeTables()
	fromSeptet, fromExt   = decodeTables()
)

func encodeTables() (latin [256]byte, greek [greekHigh - greekLow + 1]byte) {
	for i := range latin {
		latin[i] = noSeptet
	}
	for i := range greek {
		greek[i] = noSeptet
	}
	put := func(r rune, code byte) {
		switch {
		case r < 256:
			latin[r] = code
		case r >= greekLow && r <= greekHigh:
			greek[r-greekLow] = code
		}
	}
	code := byte(0)
	for _, r := range defaultAlphabet {
		if code != escape {
			put(r, code)
		}
		code++
	}
	for _, e := range extension {
		put(e.char, e.code|extended)
	}
	return latin, greek
}

// decodeTables gives the default alphabet and its extension by code, 0 where there is no character.
func decodeTables() (plain, ext [128]rune) {
	code := 0
	for _, r := range defaultAlphabet {
		plain[code] = r
		code++
	}
	plain[escape] = 0
	for _, e := range extension {
		ext[e.code] = e.char
	}
	return plain, ext
}

// septetOf gives the code of a character, with the flag extended where it needs an escape, or noSeptet.
func septetOf(r rune) byte {
	switch {
	case r < 256:
		return toSeptet[r]
	case r >= greekLow && r <= greekHigh:
		return greekSeptet[r-greekLow]
	case r == euro:
		return 0x65 | extended
	}
	return noSeptet
}
