package audience

// KeywordGroup is the words of one language for one request.
type KeywordGroup struct {
	// Language is an ISO 639 code; "en" also holds what is understood everywhere.
	Language string
	// Keyword is what the phrases ask for.
	Keyword Keyword
	// Phrases are whole messages, in the script of the language and as they
	// are typed in Latin letters.
	Phrases []string
}

// KeywordTable returns every stop and start phrase that MatchKeyword knows.
//
// No Indian regulation lists such words. The table is what helplines commonly
// accept plus spelling variants (anusvara or the written nasal, long or short
// vowel); it has not been reviewed by native readers of every language. Start
// phrases are deliberately few: a wrong stop can be taken back, a wrong start
// contacts somebody who said no.
func KeywordTable() []KeywordGroup {
	return []KeywordGroup{
		{"en", KeywordStop, []string{
			"STOP", "STOP ALL", "STOPALL", "STOP SMS", "UNSUBSCRIBE", "QUIT", "END", "CANCEL",
			"OPTOUT", "OPT OUT", "REMOVE", "REVOKE", "NO SMS",
		}},
		{"hi", KeywordStop, []string{
			"बंद", "बन्द", "बँद", "बंद करो", "बन्द करो", "बंद करें", "बन्द करें", "बंद कर दो", "बंद कीजिए",
			"रोको", "रोकें", "मत भेजो", "मत भेजें", "नहीं चाहिए", "नही चाहिए", "स्टॉप", "स्टाप",
			"BAND", "BAND KARO", "BAND KAREN", "ROKO", "MAT BHEJO", "NAHI CHAHIYE", "NAHIN CHAHIYE",
		}},
		{"bn", KeywordStop, []string{"বন্ধ", "বন্ধ করুন", "বন্ধ করো", "স্টপ", "BONDHO"}},
		{"or", KeywordStop, []string{"ବନ୍ଦ", "ବନ୍ଦ କରନ୍ତୁ", "BANDA"}},
		{"mr", KeywordStop, []string{"बंद करा", "बन्द करा", "थांबवा", "BAND KARA"}},
		{"gu", KeywordStop, []string{"બંધ", "બંધ કરો", "BANDH"}},
		{"pa", KeywordStop, []string{"ਬੰਦ", "ਬੰਦ ਕਰੋ"}},
		{"ta", KeywordStop, []string{"நிறுத்து", "வேண்டாம்", "NIRUTHU", "VENDAM"}},
		{"te", KeywordStop, []string{"ఆపు", "ఆపండి", "వద్దు", "AAPU", "VADDU"}},
		{"kn", KeywordStop, []string{"ನಿಲ್ಲಿಸಿ", "ಬೇಡ", "NILLISI", "BEDA"}},
		{"ml", KeywordStop, []string{"നിർത്തുക", "നിര്‍ത്തുക", "വേണ്ട", "NIRTHUKA", "VENDA"}},
		{"ur", KeywordStop, []string{"بند", "بند کریں", "بند کرو"}},
		{"as", KeywordStop, []string{"বন্ধ কৰক"}},
		{"bho", KeywordStop, []string{"बंद करीं", "बन्द करीं", "मत भेजीं"}},
		{"en", KeywordStart, []string{"START", "UNSTOP"}},
		{"hi", KeywordStart, []string{"शुरू", "शुरु", "चालू", "चालु", "SHURU", "CHALU"}},
	}
}
