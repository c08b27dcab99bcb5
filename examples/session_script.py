"""What people and agents say in the recorded session: the opening of a café by a harbour.

Templates, filled in by `examples.record_session` with the words of `WORDS`, drawn at random, so that
a topic that comes up twice is not answered in the same words. In a template `{day}` is a word of the
list "day"; a word drawn for a topic stays the same throughout that topic.
"""

from dataclasses import dataclass

USERS = {"ada": "Ada", "ben": "Ben", "chloe": "Chloe"}
AGENTS = {
    "scout": ("Scout", "looks things up"),
    "quill": ("Quill", "writes drafts"),
    "till": ("Till", "orders and pays, when somebody says yes"),
}

WORDS = {
    "day": ["Thursday", "Friday", "Saturday", "Sunday"],
    "hour": ["eight", "half past eight", "nine", "ten"],
    "wind": ["a light breeze", "a steady wind", "hardly any wind"],
    "sky": ["clear", "hazy", "bright with a few clouds"],
    "degrees": ["14", "16", "17", "19"],
    "roaster": ["North Quay Roasters", "Kettle & Crane", "Mill Lane Roastery"],
    "bakery": ["Halden's", "Lockside Bakery", "Little Oven"],
    "kilos": ["12", "15", "18"],
    "dozen": ["six", "eight", "ten"],
    "chairs": ["20", "24", "30"],
    "price": ["84", "112", "146", "190"],
    "guests": ["forty", "fifty", "sixty"],
    "song": ["a waltz", "an old shanty", "a slow blues"],
    "colour": ["sea green", "warm white", "slate blue"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A question and what each agent does about it.

    `tool` and what it found are Scout's; `order` is what Till would buy, and where. What is empty
    does not happen.
    """

    question: str
    thought: str
    tool: str
    query: str
    found: str
    report: str
    draft: str
    order: str = ""
    supplier: str = ""
    done: str = ""


TOPICS = [
    Topic(
        question="Will the weather hold for the terrace on {day}?",
        thought="They want to know about the terrace. The harbour forecast is the one to trust, "
        "and the wind matters more than the temperature, because of the parasols.",
        tool="harbour_forecast",
        query="{day} terrace",
        found="{sky}, {degrees} degrees",
        report="The harbour forecast for {day} is {sky}, {degrees} degrees by noon, with {wind} "
        "from the west. The terrace can open at {hour}, and the parasols can stay up. I would keep "
        "the blankets at hand, because it cools down fast once the sun is behind the warehouse.",
        draft="Here is a line for the board outside: “{day}, {degrees} degrees and {sky}. The "
        "terrace is open from {hour}, and the first coffee with a view is on the house.” "
        "If it turns out colder, we only have to wipe away the number.",
    ),
    Topic(
        question="How much coffee do we need for {guests} guests, and from whom?",
        thought="Two cups each is the usual guess, and a kilo gives about sixty cups. The opening "
        "will run late, so a reserve is wise. I should compare the two roasters nearby.",
        tool="compare_prices",
        query="house blend, {kilos} kg",
        found="{roaster}, {price} euros",
        report="For {guests} guests and a long evening I would plan {kilos} kilos, of which three are "
        "a reserve that keeps for weeks. {roaster} has the best offer at {price} euros, roasted "
        "on the day before. They deliver by cargo bike, so the narrow gate is no problem.",
        draft="For the menu: “Our house blend comes from {roaster}, roasted the day before you "
        "drink it. It tastes of cocoa and a little of orange.” Below that I would leave room "
        "for the guest coffee, which changes every week.",
        order="{kilos} kg house blend",
        supplier="{roaster}",
        done="The order is in: {kilos} kilos of house blend for {price} euros. {roaster} will be at "
        "the gate on {day} at {hour}, and the invoice is in the shared folder.",
    ),
    Topic(
        question="Can we still get pastries for {day} morning?",
        thought="It is late for a large order. {bakery} bakes at night, so an order before six in "
        "the evening should still work. I check what they have left.",
        tool="ask_bakery",
        query="{dozen} dozen, {day}",
        found="possible until six",
        report="{bakery} can still bake {dozen} dozen for {day} if we order before six tonight. They "
        "suggest half of them with cardamom, as those are the first to go. Two trays can come "
        "without nuts, in a box of their own and with a label.",
        draft="A small sign for the counter: “Cardamom knots and almond crescents, baked "
        "tonight by {bakery}. The tray on the left is free of nuts.” Shall I add the prices, "
        "or do we keep them on the board?",
        order="{dozen} dozen pastries",
        supplier="{bakery}",
        done="Done. {bakery} bakes {dozen} dozen, half of them with cardamom, for {price} euros. "
        "Somebody has to be at the back door on {day} at {hour} to take them in.",
    ),
    Topic(
        question="Do we have enough chairs if {guests} people come?",
        thought="There are eighteen chairs inside and two benches outside. I compare that with the "
        "guests and look for somebody who lends chairs for a weekend.",
        tool="search_rentals",
        query="{chairs} folding chairs, {day}",
        found="{chairs} in stock",
        report="Inside we seat eighteen, and the two benches hold ten more. For {guests} people I would "
        "borrow {chairs} folding chairs. The rental by the bridge has them in stock for {day}, "
        "in {colour} or plain wood, and takes them back on Monday without extra charge.",
        draft="A note for the neighbours: “On {day} we open, and we would like to share your half "
        "of the quay until ten in the evening. There will be chairs for everybody, and {song} "
        "or two. Come over, your first cup is waiting.”",
        order="{chairs} folding chairs",
        supplier="the rental by the bridge",
        done="Reserved: {chairs} folding chairs for {price} euros, delivered on {day} at {hour}. They "
        "carry them down the steps for us, and fetch them on Monday.",
    ),
    Topic(
        question="What about music in the evening?",
        thought="The permit says no amplifiers after nine. An acoustic duo would be fine. I check who "
        "is free and what the harbour office wants to know.",
        tool="read_permit",
        query="music, {day} evening",
        found="acoustic until ten",
        report="The permit allows acoustic music until ten, without amplifiers after nine. The duo that "
        "plays at the market is free on {day} and would start with {song}. They need a corner "
        "out of the wind and two stools, nothing else.",
        draft="For the invitation: “From seven there is live music on the quay, {song} first, and "
        "requests after that.” I left out the end on purpose, so that nobody is looking at the "
        "clock at half past nine.",
    ),
    Topic(
        question="Which colour do we take for the shutters?",
        thought="The harbour has a colour guide for front walls. Sea green and slate blue are listed, "
        "warm white needs a letter. Paint has to dry for a day before the opening.",
        tool="read_colour_guide",
        query="shutters, {colour}",
        found="{colour} is allowed",
        report="The colour guide lists {colour} for our side of the quay, so no letter is needed. Two "
        "coats are enough, and with {wind} the second one is dry by the evening. If we start at "
        "{hour}, the shutters can be back on their hinges before {day}.",
        draft="A caption for the photograph: “Before: forty years of weather. After: {colour}, two "
        "coats, and four tired arms.” I would show both pictures side by side, as the old "
        "shutters have a charm of their own.",
        order="4 litres of paint, {colour}",
        supplier="the ship chandler",
        done="Four litres of {colour} are set aside for {price} euros at the ship chandler, together "
        "with two good brushes. They close at {hour}, so it is better to go early.",
    ),
]

THANKS = [
    "Perfect, thank you!",
    "Good, that helps a lot.",
    "Lovely. I will tell the others.",
    "Great, then that is settled.",
    "Thanks, I had hoped you would say that.",
]
REFUSALS = [
    "Not yet, I would like to ask somebody else first.",
    "Let us wait with that one, it is more than we planned.",
]
REFUSED = (
    "Understood, I have not ordered anything. The offer stands until tomorrow noon, and I will "
    "remind you two hours before."
)
FAILURE = "the supplier's service did not answer within 30 seconds"
RETRY = "That broke off. Could you try again, please?"
SHELF_QUESTION = "Can somebody check what is left on the shelf in the cellar?"
SHELF_ASK = "I ask the phone of whoever is in the cellar to count the shelf."
SHELF_REPORT = (
    "Thank you for counting. With {cups} cups and {jars} jars of honey we are fine for the first "
    "weekend. Only the oat milk is short: {oat} cartons will not last until Sunday."
)
