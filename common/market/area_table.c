/* SPDX-License-Identifier: MIT */
/* State FIPS codes; metros of the 2023 delineation that hold most technology jobs, largest first:
 * where two share a city's name, the first is meant unless the state says otherwise. */
#include "common/base/mem.h"
#include "common/market/area.h"

const struct area_state AREA_STATES[] = {
	{ "AL", "01", "Alabama" }, { "AK", "02", "Alaska" }, { "AZ", "04", "Arizona" },
	{ "AR", "05", "Arkansas" }, { "CA", "06", "California" }, { "CO", "08", "Colorado" },
	{ "CT", "09", "Connecticut" }, { "DE", "10", "Delaware" },
	{ "DC", "11", "District of Columbia" }, { "FL", "12", "Florida" }, { "GA", "13", "Georgia" },
	{ "HI", "15", "Hawaii" }, { "ID", "16", "Idaho" }, { "IL", "17", "Illinois" },
	{ "IN", "18", "Indiana" }, { "IA", "19", "Iowa" }, { "KS", "20", "Kansas" },
	{ "KY", "21", "Kentucky" }, { "LA", "22", "Louisiana" }, { "ME", "23", "Maine" },
	{ "MD", "24", "Maryland" }, { "MA", "25", "Massachusetts" }, { "MI", "26", "Michigan" },
	{ "MN", "27", "Minnesota" }, { "MS", "28", "Mississippi" }, { "MO", "29", "Missouri" },
	{ "MT", "30", "Montana" }, { "NE", "31", "Nebraska" }, { "NV", "32", "Nevada" },
	{ "NH", "33", "New Hampshire" }, { "NJ", "34", "New Jersey" }, { "NM", "35", "New Mexico" },
	{ "NY", "36", "New York" }, { "NC", "37", "North Carolina" }, { "ND", "38", "North Dakota" },
	{ "OH", "39", "Ohio" }, { "OK", "40", "Oklahoma" }, { "OR", "41", "Oregon" },
	{ "PA", "42", "Pennsylvania" }, { "RI", "44", "Rhode Island" },
	{ "SC", "45", "South Carolina" }, { "SD", "46", "South Dakota" }, { "TN", "47", "Tennessee" },
	{ "TX", "48", "Texas" }, { "UT", "49", "Utah" }, { "VT", "50", "Vermont" },
	{ "VA", "51", "Virginia" }, { "WA", "53", "Washington" }, { "WV", "54", "West Virginia" },
	{ "WI", "55", "Wisconsin" }, { "WY", "56", "Wyoming" }, { "PR", "72", "Puerto Rico" },
};
const size_t AREA_STATES_COUNT = COUNT(AREA_STATES);

const struct area_metro AREA_METROS[] = {
	{ "35620", "36", "New York-Newark-Jersey City", "NY-NJ",
	  "nyc:new york|new york city:new york|manhattan|brooklyn|queens|bronx|the bronx:bronx|"
	  "staten island|hoboken|yonkers|white plains" },
	{ "31080", "06", "Los Angeles-Long Beach-Anaheim", "CA",
	  "la:los angeles|l a:los angeles|santa monica|burbank|pasadena|culver city|irvine|"
	  "el segundo|hollywood|santa ana|glendale" },
	{ "16980", "17", "Chicago-Naperville-Elgin", "IL-IN", "chicagoland:chicago|evanston|schaumburg" },
	{ "19100", "48", "Dallas-Fort Worth-Arlington", "TX",
	  "dfw:dallas|dallas fort worth:dallas|plano|irving|frisco|richardson|mckinney" },
	{ "26420", "48", "Houston-Pasadena-The Woodlands", "TX", "sugar land|katy" },
	{ "47900", "11", "Washington-Arlington-Alexandria", "DC-VA-MD-WV",
	  "washington dc:washington|washington d c:washington|dc:washington|d c:washington|"
	  "dmv:washington|reston|mclean|tysons|herndon|bethesda|rockville|silver spring|fairfax" },
	{ "33100", "12", "Miami-Fort Lauderdale-West Palm Beach", "FL", "boca raton|miami beach" },
	{ "37980", "42", "Philadelphia-Camden-Wilmington", "PA-NJ-DE-MD",
	  "philly:philadelphia|king of prussia" },
	{ "12060", "13", "Atlanta-Sandy Springs-Roswell", "GA", "atl:atlanta|alpharetta|marietta" },
	{ "14460", "25", "Boston-Cambridge-Newton", "MA-NH",
	  "somerville|waltham|burlington|framingham|quincy" },
	{ "38060", "04", "Phoenix-Mesa-Chandler", "AZ", "scottsdale|tempe|gilbert" },
	{ "41860", "06", "San Francisco-Oakland-Fremont", "CA",
	  "sf:san francisco|san fran:san francisco|bay area:san francisco|"
	  "san francisco bay area:san francisco|sf bay area:san francisco|berkeley|redwood city|"
	  "san mateo|south san francisco|menlo park|foster city|emeryville|pleasanton" },
	{ "41940", "06", "San Jose-Sunnyvale-Santa Clara", "CA",
	  "silicon valley:san jose|palo alto|mountain view|cupertino|los gatos|milpitas|campbell" },
	{ "42660", "53", "Seattle-Tacoma-Bellevue", "WA", "redmond|kirkland|bothell|renton" },
	{ "41740", "06", "San Diego-Chula Vista-Carlsbad", "CA", "la jolla" },
	{ "19740", "08", "Denver-Aurora-Centennial", "CO", "lakewood|englewood|littleton" },
	{ "12420", "48", "Austin-Round Rock-San Marcos", "TX", "atx:austin|cedar park" },
	{ "33460", "27", "Minneapolis-St. Paul-Bloomington", "MN-WI",
	  "twin cities:minneapolis|saint paul:st. paul|eden prairie" },
	{ "19820", "26", "Detroit-Warren-Dearborn", "MI", "troy|southfield" },
	{ "45300", "12", "Tampa-St. Petersburg-Clearwater", "FL", "saint petersburg:st. petersburg" },
	{ "12580", "24", "Baltimore-Columbia-Towson", "MD", "annapolis" },
	{ "16740", "37", "Charlotte-Concord-Gastonia", "NC-SC", "" },
	{ "39580", "37", "Raleigh-Cary", "NC", "research triangle:raleigh" },
	{ "38900", "41", "Portland-Vancouver-Hillsboro", "OR-WA", "pdx:portland|beaverton" },
	{ "34980", "47", "Nashville-Davidson--Murfreesboro--Franklin", "TN", "" },
	{ "36740", "12", "Orlando-Kissimmee-Sanford", "FL", "" },
	{ "41180", "29", "St. Louis", "MO-IL", "saint louis:st. louis" },
	{ "38300", "42", "Pittsburgh", "PA", "" },
	{ "40900", "06", "Sacramento-Roseville-Folsom", "CA", "" },
	{ "29820", "32", "Las Vegas-Henderson-North Las Vegas", "NV", "vegas:las vegas" },
	{ "41700", "48", "San Antonio-New Braunfels", "TX", "" },
	{ "28140", "29", "Kansas City", "MO-KS", "overland park|olathe" },
	{ "18140", "39", "Columbus", "OH", "" },
	{ "26900", "18", "Indianapolis-Carmel-Greenwood", "IN", "indy:indianapolis" },
	{ "17140", "39", "Cincinnati", "OH-KY-IN", "" },
	{ "17410", "39", "Cleveland", "OH", "" },
	{ "41620", "49", "Salt Lake City-Murray", "UT", "slc:salt lake city" },
	{ "14260", "16", "Boise City", "ID", "boise:boise" },
	{ "40140", "06", "Riverside-San Bernardino-Ontario", "CA", "inland empire:riverside" },
	{ "33340", "55", "Milwaukee-Waukesha", "WI", "" },
	{ "31540", "55", "Madison", "WI", "" },
	{ "27260", "12", "Jacksonville", "FL", "" },
	{ "17820", "08", "Colorado Springs", "CO", "" },
	{ "36420", "40", "Oklahoma City", "OK", "" },
	{ "26620", "01", "Huntsville", "AL", "" },
	{ "32820", "47", "Memphis", "TN-MS-AR", "" },
	{ "31140", "21", "Louisville/Jefferson County", "KY-IN", "" },
	{ "20500", "37", "Durham-Chapel Hill", "NC", "" },
};
const size_t AREA_METROS_COUNT = COUNT(AREA_METROS);
