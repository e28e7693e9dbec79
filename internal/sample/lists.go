package sample

// homeStates are the states that people leave for work; the weights are percent.
var homeStates = []struct {
	weight    uint32
	state     string
	languages []weighted
}{
	{30, "BR", []weighted{{62, "hi"}, {20, "bho"}, {14, "mai"}, {4, "mag"}}},
	{26, "UP", []weighted{{84, "hi"}, {11, "bho"}, {5, "ur"}}},
	{12, "JH", []weighted{{78, "hi"}, {13, "sat"}, {9, "sck"}}},
	{10, "OD", []weighted{{94, "or"}, {6, "hi"}}},
	{11, "WB", []weighted{{88, "bn"}, {12, "hi"}}},
	{8, "RJ", []weighted{{72, "hi"}, {28, "mwr"}}},
	{2, "MP", []weighted{{100, "hi"}}},
	{1, "CG", []weighted{{80, "hi"}, {20, "hne"}}},
}

// workStates are the states that people work in; the weights are percent.
var workStates = []weighted{{24, "MH"}, {18, "GJ"}, {16, "DL"}, {11, "KA"}, {9, "TN"}, {8, "KL"}, {6, "HR"}, {4, "PB"}, {4, "TS"}}

var occupations = []weighted{
	{36, "construction"}, {10, "brick kiln"}, {12, "agriculture"}, {11, "textile"}, {8, "domestic work"}, {7, "factory"},
	{5, "street vending"}, {4, "transport"}, {3, "security"}, {2, "hotel"}, {2, "loading"},
}

var trades = map[string][]string{
	"construction": {"mason", "helper", "painter", "plumber", "bar bender", "tile layer", "welder", "carpenter"},
	"brick kiln":   {"moulder", "fireman", "loader"},
	"textile":      {"tailor", "loom operator", "embroidery", "dyeing"},
	"agriculture":  {"harvest", "sugarcane", "transplanting"},
	"factory":      {"packing", "machine operator", "helper"},
	"transport":    {"driver", "cleaner", "rickshaw"},
}

var languageNames = map[string]string{"hi": "Hindi", "bho": "भोजपुरी", "mai": "Maithili", "bn": "Bangla", "or": "Odia", "ur": "Urdu", "mwr": "Marwari", "sat": "Santali"}

// oldSpellings are former names and spellings that old lists have and the table of places knows.
var oldSpellings = []weighted{
	{3, "Motihari"}, {2, "East Champaran"}, {2, "Chhapra"}, {2, "Purnea"}, {2, "Allahabad"}, {2, "Faizabad"}, {1, "Hazaribag"}, {1, "Sahibganj"},
	{1, "Bolangir"}, {1, "Kendujhar"}, {1, "Koch Bihar"}, {1, "Sri Ganganagar"}, {1, "Barabanki Dist"}, {1, "Aurangabad"},
}

var villages = []string{
	"Rampur", "Pipra", "Bhagwanpur", "Madhopur", "Kalyanpur", "Sonbarsa", "Naya Tola", "Barka Gaon", "Harnatar", "Itwa", "Jagdishpur", "Karanpur",
	"Lakhanpur", "Mirzapur", "Nawadih", "Parsauni", "Rajapur", "Shivpur", "Tilauthu", "पिपरा", "रामपुर", "मधुबन",
}
