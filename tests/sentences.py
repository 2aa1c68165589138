"""English sentences from several domains, of 12 to 40 words, written for these tests."""

SENTENCES = (
    "The old lighthouse keeper climbed the narrow stairs every evening and lit the lamp before the first ships came "
    "into sight of the rocks.",
    "When the river rose in early spring, the farmers moved their animals to the hill and waited for the water to "
    "leave the fields again.",
    "A cell divides only after it has copied its genetic material, so that each of the two new cells receives a "
    "complete set of instructions.",
    "The court found that the contract had been broken, but it reduced the damages because the buyer had not tried to "
    "limit the loss.",
    "Heat the butter in a heavy pan, add the sliced onions, and stir them slowly until they turn soft and golden.",
    "Prices of wheat fell for the third month in a row as good harvests in the south filled the warehouses of the "
    "ports.",
    "The goalkeeper guessed the right corner, yet the ball struck the post, rolled along the line and was cleared by "
    "a defender.",
    "Light from the most distant galaxies has travelled for more than ten billion years before it reaches the mirror "
    "of the telescope.",
    "She tuned the violin twice during the concert, for the warm air of the hall had loosened its strings.",
    "The program stores every message in a queue, and a second process reads them in the order in which they arrived.",
    "Before the railway was built, a letter from the capital needed nine days to reach the villages behind the "
    "mountains.",
    "The patient complained of pain in the left shoulder, which grew worse at night and did not respond to rest.",
    "Volcanic soil is rich in minerals, and so the slopes of dangerous mountains are often planted with vines and "
    "orange trees.",
    "The committee will publish its report in autumn, after the members have visited all the schools that took part "
    "in the trial.",
    "My grandmother kept buttons in a blue tin, and on rainy days we sorted them by colour on the kitchen table.",
    "An engine that runs too hot loses power first, then oil pressure, and finally the bearings begin to seize.",
    "The painter mixed white lead with a little ochre to give the faces in the background their pale and dusty look.",
    "Migrating geese fly in the shape of a wedge because each bird finds less resistance in the air behind its "
    "neighbour.",
    "The bank raised its interest rate by a quarter of a point and warned that further steps might be necessary "
    "before the end of the year.",
    "Nobody in the office could explain why the printer worked only when the window beside it was open.",
    "If two angles of a triangle are equal, then the sides opposite to them are equal as well, and the figure is "
    "called isosceles.",
    "The children built a dam of stones and branches, and by noon the little stream had become a pond deep enough for "
    "their boats.",
    "Glass looks solid, but its atoms are arranged almost as irregularly as those of a liquid that was stopped in the "
    "middle of its motion.",
    "The minister refused to answer questions about the bridge, saying that the investigation had only just begun.",
    "Add the yeast to lukewarm water, wait until it foams, and knead it with the flour for at least ten minutes.",
    "Our train stopped in an empty field for an hour, and the passengers began to share bread, stories and complaints.",
    "A vaccine teaches the immune system to recognise a germ without the danger of the disease that the germ would "
    "cause.",
    "The translator hesitated over a single word, because it meant both home and harbour in the language of the poem.",
    "Solar panels on the roof of the station now deliver more electricity in summer than its lamps and lifts can use.",
    "The detective noticed that the dog had not barked, although a stranger was supposed to have crossed the yard.",
    "In the desert the temperature may drop by thirty degrees after sunset, since dry air holds very little of the "
    "day's warmth.",
    "The orchestra rehearsed the slow movement until midnight, but the conductor was still not content with the "
    "entry of the horns.",
)
