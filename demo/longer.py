"""What makes a posting as long as real ones are: paragraphs that companies add to each of theirs."""

# ruff: noqa: E501 - a paragraph stands on one line, so that it is read and changed as one
from __future__ import annotations

#: More of the company, after its own sentences.
ABOUT = (
    "What we do today began as a favour to one customer, and for a year it was the work of three people in the evenings. There are {staff} of us now, in more time zones than we planned for, and we still answer the telephone ourselves. {company} has grown by being dependable in small things, and the people who join us tend to be of the same mind.",
    "We are organised in small teams that own what they build from the first sketch to the last alarm at night. A team has a budget, a short list of promises and the freedom to keep them as it thinks best. Twice a year all teams show each other what they learned, including what did not work, and the second part is usually the better attended one.",
    "Our customers are {people}, and most of them have been with us for longer than our offices have had their present furniture. They tell us plainly when something is wrong. Everyone at {company}, whatever their role, spends two days each quarter listening to them, because plans that are made without that tend to be plans for somebody else.",
    "In the past year we published our first report on what our work takes from the world and what it gives back. It is not a flattering document in every chapter. We have set ourselves targets for energy, travel and purchasing that an outside body checks, and the pay of our management depends on them in part.",
    "We like to explain things in writing. Decisions are recorded where everyone can find them, with the reasons and with the names of those who were of another opinion. New colleagues often tell us that reading through last year's decisions taught them more about {company} than their first weeks of meetings did.",
)

#: More of the team and the way of working.
WORKING = (
    "You will join a team of {few} that has been together for some time and is glad of company. Two of your future colleagues came from consulting, one from the public service, and one taught mathematics at a school before finding this more restful. They plan on Mondays, talk briefly each morning, and leave Thursday afternoons free of meetings so that something can be finished.",
    "In the first month you get to know our systems, the people who depend on them and the habits that hold them together. After three months you look after a part of your own. After a year we hope that you will have changed something for the better that nobody had thought to ask you for, and that you will have shown others how you did it.",
    "We work with what fits the task. Today that means {cloud}, {tooling}, a tracker that is kept tidy and rather a lot of documents. You need not know all of it. We would sooner hire someone who learns quickly and asks good questions than someone who has used the same tools for {years} years and would like to go on doing so.",
    "Responsibility here comes with the means to carry it. If you are asked to keep a promise, you may say what it takes, and if the answer is that it cannot be done, you say so early and are thanked for it. We keep an eye on the hours that people work, and intervene when somebody makes a habit of working too many of them.",
    "Learning is part of the working week and not something for the evenings. There is a reading group, a standing offer of a mentor outside your own team, and an annual budget that you decide about yourself. Several of our colleagues have moved to quite another profession within the company, and were helped to do so.",
)

#: More of what happens to an application.
PROCESS = (
    "You do not need to meet every point of this description. Studies show that some people apply when they meet a little over half of a list and others only when they meet all of it, and we have seen both sorts do splendid work. If the tasks appeal to you, write to us and tell us what you would bring to them.",
    "Please send a short letter and a curriculum vitae in a common format; a photograph, your date of birth and your family status are nothing that we want to know. Tell us your earliest date of joining and, if you like, what you expect to be paid. We acknowledge every application within a few days and keep you informed of each step that follows.",
    "We cannot take applications from recruitment agencies for this position, and no fee is paid for unasked profiles. Direct contact between our teams and agencies is arranged by the people department alone. Candidates who apply through our own page are always considered first, and are always spoken to by a person.",
    "For some roles at {company} we make checks before a contract is signed: of the right to work, of stated qualifications, and, where the law requires it, of entries in public registers. You are told beforehand what is checked and by whom, you see the result, and nothing is looked into without your consent.",
)

#: What lawyers add.
NOTICES = (
    "We process the data of your application to decide on it and for nothing else. It is seen by those who take part in the decision, kept for six months after the position is filled, and then erased, unless you ask us to keep it for openings to come. You can have it shown, corrected or deleted at any time; our notice on data protection says how.",
    "Should you need an adjustment at any step, because of a disability or for any other reason, let us know in whatever way suits you. A sign language interpreter, material in large type, more time or another room are arranged without fuss and without any bearing on the decision. Our offices can be reached without stairs.",
    "The range of pay that is stated covers what we expect to offer to most of those whom we hire for this position. Where within it an offer lies depends on skills, on experience that matters for the tasks, and on the place of work. Pay is only a part of what we offer, and the rest of it is described above.",
    "This description tells of the main tasks, and is no complete list of duties. Tasks may change with the needs of the business, after a conversation with you. Nothing in it is a contract, nor a promise of employment for any length of time, and the law of the place of work goes before whatever is said here.",
)
