"""Names as they are met in a Miami waiting room. Any full name is put together by chance. Pure data."""

from typing import NamedTuple


class Culture(NamedTuple):
    """`share` of patients in percent, `languages` with weights, `double`: how often there are two family names."""

    share: int
    languages: tuple[tuple[str, int], ...]
    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]
    double: float = 0.0


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


CULTURES: dict[str, Culture] = {
    "hispanic": Culture(
        40,
        (("es", 75), ("en", 25)),
        _words(
            "María Ana Lucía Carmen Isabel Sofía Valentina Camila Daniela Gabriela Mariana Paola Yolanda Beatriz"
            " Marisol Rosario Teresa Xiomara Yaneisy Dayana Luz_Marina Ana_María Milagros Ximena Renata Esperanza Inés"
        ),
        _words(
            "José Luis Carlos Miguel Jorge Rafael Alejandro Diego Andrés Mateo Santiago Javier Fernando Ricardo Óscar"
            " Raúl Ernesto Yoandy Orlando Joaquín Emilio Tomás Iván Ramón Gustavo Sebastián Juan_Carlos Álvaro"
        ),
        _words(
            "García Rodríguez Martínez Hernández López González Pérez Sánchez Ramírez Torres Flores Rivera Gómez Díaz"
            " Cruz Morales Ortiz Gutiérrez Chávez Ramos Ruiz Castillo Mendoza Vargas Núñez Peña Delgado Herrera Fuentes"
            " Acosta Cabrera Montes Zambrano Quintero Betancourt Echeverría Urdaneta"
        ),
        0.35,
    ),
    "anglo": Culture(
        16,
        (("en", 97), ("es", 3)),
        _words(
            "Emma Olivia Margaret Susan Karen Linda Abigail Grace Hannah Rachel Megan Dorothy Ruth Claire Allison"
            " Heather Nancy Evelyn Charlotte Natalie Paige Joan Judith"
        ),
        _words(
            "James Robert William Thomas Andrew Peter George Edward Henry Samuel Walter Kevin Brian Scott Nathan Ethan"
            " Oliver Jack Douglas Frank Gerald Harold Logan"
        ),
        _words(
            "Smith Johnson Miller Davis Wilson Anderson Taylor Moore Clark Walker Hall Young Wright Hill Baker Carter"
            " Parker Collins Stewart Murphy Bailey Cooper Bennett Foster Sullivan Hayes Holloway Ashford"
        ),
    ),
    "brazilian": Culture(
        11,
        (("pt", 85), ("en", 15)),
        _words(
            "Ana Beatriz Juliana Fernanda Larissa Camila Letícia Patrícia Mariana Aline Vanessa Débora Luciana Renata"
            " Thaís Bruna Cláudia Heloísa Yasmin Raquel"
        ),
        _words(
            "João Pedro Lucas Gabriel Rafael Bruno Thiago Felipe Gustavo Leandro Rodrigo Marcelo André Vinícius Caio"
            " Otávio Renan Murilo Fábio Sérgio"
        ),
        _words(
            "Silva Santos Oliveira Souza Lima Pereira Ferreira Almeida Costa Rodrigues Carvalho Gomes Martins Araújo"
            " Barbosa Ribeiro Cardoso Teixeira Moreira Cavalcanti Nascimento Conceição"
        ),
        0.3,
    ),
    "haitian": Culture(
        8,
        (("en", 100),),
        _words("Marie Guerda Nadège Fabienne Roseline Widline Mirlande Ketly Islande Yolette Darline Carline Esther"),
        _words("Jean Wilner Jacques Ricardo Frantz Emmanuel Stanley Wisler Jean-Robert Reginald Evens Dieudonné"),
        _words(
            "Jean-Baptiste Pierre Joseph Charles Louis Saint-Fleur Desir Toussaint Cadet Estimé Laguerre Dorvil Exantus"
            " Beauvais Clervil Moïse"
        ),
    ),
    "african american": Culture(
        6,
        (("en", 100),),
        _words("Aaliyah Keisha Latoya Imani Jasmine Tanya Monique Denise Brianna Ebony Shanice Gloria Loretta"),
        _words("Malik Terrence Darnell Jamal Marcus Isaiah Andre Tyrone Reginald Curtis Xavier Elijah Cedric"),
        _words("Washington Jefferson Banks Coleman Gaines Booker Freeman Dorsey Mosley Battle Rivers Hampton Whitaker"),
    ),
    "indian": Culture(
        4,
        (("en", 100),),
        _words("Priya Anjali Kavita Sunita Meera Divya Lakshmi Neha Asha Pooja Radhika"),
        _words("Rajesh Amit Vikram Sanjay Arjun Suresh Rohan Anil Karthik Deepak Manoj"),
        _words("Patel Sharma Reddy Iyer Nair Gupta Kapoor Chatterjee Menon Desai Krishnamurthy Bhattacharya"),
    ),
    "chinese": Culture(
        3,
        (("en", 100),),
        _words("Mei Li_Hua Xiaoyan Ying Fang Jing Hui Lan Yan"),
        _words("Wei Jun Ming Hao Lei Jian Bo Cheng Zhiyong"),
        _words("Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Ouyang"),
    ),
    "vietnamese": Culture(
        2,
        (("en", 100),),
        _words("Thị_Hoa Lan Hương Mai Thu Ngọc Linh Phương"),
        _words("Văn_Minh Tuấn Hùng Dũng Quang Thành Long Bảo"),
        _words("Nguyễn Trần Lê Phạm Hoàng Võ Đặng Bùi"),
    ),
    "arabic": Culture(
        4,
        (("en", 100),),
        _words("Fatima Layla Noor Aisha Mariam Huda Rania Salma Zeinab Amal"),
        _words("Omar Yusuf Khalid Hassan Tariq Karim Ibrahim Samir Bilal Mustafa"),
        _words("Al-Masri Haddad Khoury Nasser El-Sayed Mansour Farouk Rahman Shahin Abdelaziz Bin_Rashid"),
    ),
    "russian": Culture(
        3,
        (("en", 100),),
        _words("Olga Natalia Svetlana Irina Tatiana Ekaterina Ludmila Galina"),
        _words("Dmitri Sergei Alexei Ivan Vladimir Nikolai Oleg Yuri"),
        _words("Bogdanenko Morozenko Levitan Sokolenko Orlenko Zaytsenko Belov Vlasenko Kravets Shevchenko"),
    ),
    "west african": Culture(
        2,
        (("en", 100),),
        _words("Ngozi Amara Adaeze Folake Abena Ama Yetunde"),
        _words("Chukwuemeka Oluwaseun Kwame Kofi Babajide Emeka Tunde"),
        _words("Okafor Adeyemi Mensah Boateng Nwosu Balogun Owusu"),
    ),
    "korean": Culture(
        1,
        (("en", 100),),
        _words("Ji-woo Seo-yeon Min-ji Hye-jin Eun-ji"),
        _words("Min-jun Seo-jun Ji-ho Hyun-woo Dong-hyun"),
        _words("Kim Lee Park Choi Jung Kang"),
    ),
}

AREA_CODES = _words(
    "305 786 954 754 561 239 407 321 352 386 727 813 850 863 904 941 772 212 917 646 718 347 201 973 617 202 404 214"
    " 713 312 415 310 702 602 303 206"
)
MAIL_DOMAINS = ("mail.example", "correo.example", "inbox.example", "post.example", "family.example", "work.example")
MEDICINES = ("metformin 500 mg", "lisinopril 10 mg", "levothyroxine 50 mcg", "amlodipine 5 mg", "omeprazole 20 mg")
PHARMACIES = (
    "Coral Way Pharmacy",
    "Brickell Drugs",
    "Harbor Walk Pharmacy",
    "La Botica del Sol",
    "Eighth Street Pharmacy",
)
