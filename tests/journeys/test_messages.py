"""SMS, WhatsApp, mail and forms from the patient's hand to the agent's answer and back."""


def test_a_text_reaches_the_desk_and_the_answer_reaches_the_phone(hire, somebody, interaction_of):
    agent, patient = hire(), somebody()
    patient.write("Can I have breakfast before the test?", "sms")
    row = interaction_of(patient.number)
    page = agent.reply(row.pk, "Only water until it is done.", "sms")
    assert page.status == 200
    patient.until_shows(
        ("mine", "Can I have breakfast before the test?", "read"),
        ("clinic", "Only water until it is done.", "delivered"),
        tab="sms",
    )
