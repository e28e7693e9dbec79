package sample

// name is a name in Latin letters and in Devanagari.
type name struct{ latin, native string }

var womenHindi = []name{
	{"Sita", "सीता"}, {"Geeta", "गीता"}, {"Sunita", "सुनीता"}, {"Anita", "अनीता"}, {"Rekha", "रेखा"}, {"Phoolmati", "फूलमती"}, {"Savitri", "सावित्री"}, {"Lalita", "ललिता"},
	{"Kiran", "किरण"}, {"Munni", "मुन्नी"}, {"Shanti", "शांति"}, {"Parvati", "पार्वती"}, {"Rubina", "रुबीना"}, {"Shabnam", "शबनम"}, {"Nagma", "नग़मा"}, {"Pooja", "पूजा"},
	{"Mamta", "ममता"}, {"Usha", "उषा"}, {"Bimla", "बिमला"}, {"Kavita", "कविता"}, {"Chameli", "चमेली"}, {"Jyoti", "ज्योति"}, {"Sarita", "सरिता"}, {"Budhni", "बुधनी"},
}

var menHindi = []name{
	{"Ram Kumar", "राम कुमार"}, {"Suresh", "सुरेश"}, {"Rajesh", "राजेश"}, {"Mohan", "मोहन"}, {"Dinesh", "दिनेश"}, {"Santosh", "संतोष"}, {"Manoj", "मनोज"}, {"Birju", "बिरजू"},
	{"Imran", "इमरान"}, {"Aslam", "असलम"}, {"Shahid", "शाहिद"}, {"Vijay", "विजय"}, {"Sanjay", "संजय"}, {"Ganesh", "गणेश"}, {"Lakhan", "लखन"}, {"Bhola", "भोला"},
	{"Raju", "राजू"}, {"Pappu", "पप्पू"}, {"Kailash", "कैलाश"}, {"Hari Om", "हरि ओम"}, {"Anil", "अनिल"}, {"Sunil", "सुनील"}, {"Ashok", "अशोक"}, {"Somra", "सोमरा"},
}

var familyHindi = []name{
	{"Yadav", "यादव"}, {"Paswan", "पासवान"}, {"Manjhi", "मांझी"}, {"Sah", "साह"}, {"Ansari", "अंसारी"},
	{"Mahto", "महतो"}, {"Ram", "राम"}, {"Singh", "सिंह"}, {"Prasad", "प्रसाद"}, {"Oraon", "उरांव"}, {"Murmu", "मुर्मू"}, {"Verma", "वर्मा"}, {"Rajbhar", "राजभर"},
	{"Meena", "मीणा"}, {"Bairwa", "बैरवा"}, {"Nishad", "निषाद"}, {"Kushwaha", "कुशवाहा"}, {"Munda", "मुंडा"}, {"Chauhan", "चौहान"}, {"Sharma", "शर्मा"}, {"Alam", "आलम"},
}

// familyWomen are second names that only women bear.
var familyWomen = []name{{"Devi", "देवी"}, {"Kumari", "कुमारी"}, {"Khatoon", "ख़ातून"}, {"Devi", "देवी"}}

var womenBengali = []name{{"Mita", "মিতা"}, {"Rina", "রীনা"}, {"Sabina", "সাবিনা"}, {"Kakoli", "কাকলি"}, {"Shefali", "শেফালি"}, {"Anjali", "অঞ্জলি"}}

var menBengali = []name{{"Rafiq", "রফিক"}, {"Tapan", "তপন"}, {"Subhas", "সুভাষ"}, {"Nazrul", "নজরুল"}, {"Bapi", "বাপি"}, {"Gopal", "গোপাল"}}

var familyBengali = []name{{"Mondal", "মণ্ডল"}, {"Sheikh", "শেখ"}, {"Das", "দাস"}, {"Roy", "রায়"}, {"Sardar", "সরদার"}}

var womenOdia = []name{{"Basanti", "ବାସନ୍ତୀ"}, {"Kuni", "କୁନି"}, {"Sabitri", "ସାବିତ୍ରୀ"}, {"Mamata", "ମମତା"}, {"Jema", "ଜେମା"}}

var menOdia = []name{{"Bikash", "ବିକାଶ"}, {"Prakash", "ପ୍ରକାଶ"}, {"Sudam", "ସୁଦାମ"}, {"Jagannath", "ଜଗନ୍ନାଥ"}, {"Tuna", "ଟୁନା"}}

var familyOdia = []name{{"Nayak", "ନାୟକ"}, {"Sahoo", "ସାହୁ"}, {"Behera", "ବେହେରା"}, {"Majhi", "ମାଝୀ"}, {"Bag", "ବାଗ"}, {"Pradhan", "ପ୍ରଧାନ"}}

// name appends a name in Latin letters, in the language's own, or as flaw says.
func (m *maker) name(buf []byte, language string, female bool, flaw dirt) []byte {
	if flaw == dirtNoName {
		return buf
	}
	women, men, family := womenHindi, menHindi, familyHindi
	switch language {
	case "bn":
		women, men, family = womenBengali, menBengali, familyBengali
	case "or":
		women, men, family = womenOdia, menOdia, familyOdia
	}
	first := men
	if female {
		first = women
	}
	if female && language != "bn" && language != "or" && m.chance(55) {
		family = familyWomen
	}
	f, l := first[m.pick(len(first))], family[m.pick(len(family))]
	switch {
	case flaw == dirtScripts:
		return append(append(append(buf, f.native...), ' '), l.latin...)
	case m.chance(45):
		return append(append(append(buf, f.native...), ' '), l.native...)
	}
	return append(append(append(buf, f.latin...), ' '), l.latin...)
}
