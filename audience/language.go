package audience

import (
	"slices"
	"strings"
)

// languages maps a folded name to the code under which the register keeps the language: ISO 639-1
// where there is one, else ISO 639-3. Names are English, native and Hindi, with the spellings that
// lists use.
var languages = foldLanguages(map[string][]string{
	"hi":  {"Hindi", "हिन्दी", "हिंदी"},
	"en":  {"English", "अंग्रेज़ी", "Angrezi"},
	"bn":  {"Bengali", "Bangla", "বাংলা", "बांग्ला", "बंगाली"},
	"or":  {"Odia", "Oriya", "ଓଡ଼ିଆ", "ओड़िया", "उड़िया"},
	"mr":  {"Marathi", "मराठी"},
	"gu":  {"Gujarati", "Gujrati", "ગુજરાતી", "गुजराती"},
	"pa":  {"Punjabi", "Panjabi", "ਪੰਜਾਬੀ", "पंजाबी"},
	"ta":  {"Tamil", "தமிழ்", "तमिल"},
	"te":  {"Telugu", "తెలుగు", "तेलुगु", "तेलगू"},
	"kn":  {"Kannada", "ಕನ್ನಡ", "कन्नड़"},
	"ml":  {"Malayalam", "മലയാളം", "मलयालम"},
	"as":  {"Assamese", "Asamiya", "Axomiya", "অসমীয়া", "असमिया"},
	"ur":  {"Urdu", "اردو", "उर्दू"},
	"ne":  {"Nepali", "नेपाली"},
	"sa":  {"Sanskrit", "संस्कृत", "संस्कृतम्"},
	"sd":  {"Sindhi", "سنڌي", "सिंधी"},
	"ks":  {"Kashmiri", "कश्मीरी", "کٲشُر"},
	"kok": {"Konkani", "कोंकणी"},
	"mai": {"Maithili", "मैथिली"},
	"bho": {"Bhojpuri", "भोजपुरी"},
	"mag": {"Magahi", "Magadhi", "मगही"},
	"sat": {"Santali", "Santhali", "ᱥᱟᱱᱛᱟᱲᱤ", "संताली", "संथाली"},
	"brx": {"Bodo", "Boro", "बर'", "बोडो"},
	"doi": {"Dogri", "डोगरी"},
	"mni": {"Manipuri", "Meitei", "Meiteilon", "মৈতৈলোন্", "मणिपुरी"},
	"raj": {"Rajasthani", "राजस्थानी"},
	"mwr": {"Marwari", "मारवाड़ी"},
	"awa": {"Awadhi", "Avadhi", "अवधी"},
	"bra": {"Braj", "Braj Bhasha", "Brij", "ब्रज"},
	"bns": {"Bundeli", "Bundelkhandi", "बुंदेली"},
	"hne": {"Chhattisgarhi", "Chattisgarhi", "छत्तीसगढ़ी"},
	"bgc": {"Haryanvi", "हरियाणवी"},
	"gbm": {"Garhwali", "गढ़वाली"},
	"kfy": {"Kumaoni", "Kumauni", "कुमाऊंनी"},
	"sck": {"Sadri", "Nagpuri", "Sadani", "नागपुरी", "सादरी"},
	"hoc": {"Ho", "हो"},
	"unr": {"Mundari", "मुंडारी"},
	"kru": {"Kurukh", "Kurux", "Oraon", "कुड़ुख"},
	"kyw": {"Kurmali", "Kudmali", "कुरमाली"},
	"gon": {"Gondi", "गोंडी"},
	"bhb": {"Bhili", "भीली"},
	"lus": {"Mizo", "Lushai"},
	"kha": {"Khasi"},
	"grt": {"Garo"},
	"trp": {"Kokborok"},
	"tcy": {"Tulu", "ತುಳು"},
})

// languageCodes are other codes in use for a language of the table.
var languageCodes = map[string]string{
	"hin": "hi", "eng": "en", "ben": "bn", "ori": "or", "ory": "or", "od": "or", "odi": "or", "mar": "mr", "guj": "gu", "pan": "pa", "pun": "pa",
	"tam": "ta", "tel": "te", "kan": "kn", "mal": "ml", "asm": "as", "urd": "ur", "nep": "ne", "npi": "ne", "gom": "kok",
}

func foldLanguages(byCode map[string][]string) map[string]string {
	out := map[string]string{}
	for code, names := range byCode {
		out[code] = code
		for _, name := range names {
			out[foldPlace(name)] = code
		}
	}
	return out
}

// ParseLanguage reads a language by its code (hi, hin) or its name in English, Hindi or itself, and
// returns its code in the register: two letters where ISO 639-1 has them, else three. A region is
// dropped: "hi-IN" is hi.
func ParseLanguage(s string) (code string, ok bool) {
	key := foldPlace(s)
	if code, ok := languages[key]; ok {
		return code, true
	}
	if code, ok := languageCodes[key]; ok {
		return code, true
	}
	if i := strings.IndexAny(s, "-_"); i == 2 || i == 3 {
		code, ok := languages[foldPlace(s[:i])]
		return code, ok
	}
	return "", false
}

// Languages returns the codes of all languages that ParseLanguage knows, in order.
func Languages() []string {
	var out []string
	for _, code := range languages {
		if !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}
