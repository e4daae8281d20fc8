# SPDX-License-Identifier: MIT
"""Places with what a row needs of them. `region` is the short form, `state` the long one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    city: str
    region: str
    state: str
    country: str
    latitude: float
    longitude: float
    weight: float

    @property
    def language(self):
        return {"de": "de", "fr": "fr", "es": "es", "it": "it"}.get(self.country, "en")


ROWS = """
San Francisco|CA|California|us|37.7749295|-122.4194155|4
New York|NY|New York|us|40.7127753|-74.0059728|4
Seattle|WA|Washington|us|47.6061389|-122.3328481|4
Austin|TX|Texas|us|30.267153|-97.7430608|2
Denver|CO|Colorado|us|39.7392358|-104.990251|2
Chicago|IL|Illinois|us|41.8781136|-87.6297982|2
Boston|MA|Massachusetts|us|42.3600825|-71.0588801|2
Atlanta|GA|Georgia|us|33.7488|-84.3877|1
Dallas|TX|Texas|us|32.7766642|-96.7969879|1
Houston|TX|Texas|us|29.760427|-95.369804|1
Los Angeles|CA|California|us|34.0549076|-118.242643|1.5
San Jose|CA|California|us|37.3387365|-121.8852525|1.5
Washington|DC|District of Columbia|us|38.9071923|-77.0368707|1
Raleigh|NC|North Carolina|us|35.7795897|-78.6381787|1
Portland|OR|Oregon|us|45.515232|-122.6783853|1
Salt Lake City|UT|Utah|us|40.7605601|-111.8881397|1
St. Louis|MO|Missouri|us|38.6269775|-90.1994042|1
Minneapolis|MN|Minnesota|us|44.977753|-93.2650108|1
Columbus|OH|Ohio|us|39.9611755|-82.9987942|1
Huntsville|AL|Alabama|us|34.729847|-86.5859011|0.7
Coeur d'Alene|ID|Idaho|us|47.6776832|-116.7804664|0.5
London|England|England|gb|51.5072178|-0.1275862|1.5
Manchester|England|England|gb|53.4807593|-2.2426305|0.7
Toronto|ON|Ontario|ca|43.653226|-79.3831843|1
Vancouver|BC|British Columbia|ca|49.2827291|-123.1207375|0.6
Bengaluru|KA|Karnataka|in|12.9715987|77.5945627|2.2
Pune|MH|Maharashtra|in|18.5246091|73.8786239|1.3
Berlin|BE|Berlin|de|52.5200066|13.404954|1.3
München|BY|Bayern|de|48.1351253|11.5819806|1
Köln|NW|Nordrhein-Westfalen|de|50.937531|6.9602786|0.7
Frankfurt am Main|HE|Hessen|de|50.1109221|8.6821267|0.7
Paris|IDF|Île-de-France|fr|48.8575475|2.3513765|1.8
Lyon|ARA|Auvergne-Rhône-Alpes|fr|45.764043|4.835659|1.2
Nîmes|OCC|Occitanie|fr|43.836699|4.360054|0.7
Madrid|MD|Comunidad de Madrid|es|40.4167754|-3.7037902|1.1
Barcelona|CT|Cataluña|es|41.3873974|2.168568|0.8
Málaga|AN|Andalucía|es|36.7212737|-4.4213988|0.5
Milano|MI|Lombardia|it|45.4685|9.1824027|1.1
Torino|TO|Piemonte|it|45.0703393|7.686864|0.8
Roma|RM|Lazio|it|41.8967068|12.4822025|0.6
"""


def read():
    places = []
    for line in ROWS.strip().splitlines():
        city, region, state, country, latitude, longitude, weight = line.split("|")
        places.append(
            Place(city, region, state, country, float(latitude), float(longitude), float(weight))
        )
    return places


PLACES = read()
# What the provider gives for "somewhere in the United States".
US_CENTROID = (37.09024, -95.71289)
