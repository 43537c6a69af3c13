"""Short lists that the rules for personal text go by: given names, surnames, titles, words that announce a name.

Written for this project from common knowledge; short on purpose. Names are folded: small letters, no accents.
"""


def words(text: str) -> frozenset[str]:
    """Words written one after the other."""
    return frozenset(text.split())


# Given names that are hardly ever anything else.
GIVEN = words(
    """
    aarav aaron abbie abdul abdullah abelardo abena abigail achille adam adelaide adele adeyemi aditi adolfo adrian
    adriana adwoa agata agathe agnes agnese agnieszka agustin ahmed aicha ainsley aisha aissatou akira alain alan
    alastair alba alban albane albert alberto alejandra alejandro alejo aleksandra alessandra alessandro alessia
    alexander alexandra alexandre alexis alfie alfio alfonso alfred alfredo ali alice alicia aliette alina alison
    alistair allison alva alvaro amadou amanda amandine ambroise amedeo amelia amelie amina aminata amir ana anais
    ananya anastasia anatole anders andre andrea andreas andree andrei andrew andrzej angela angelika angelo angus
    anika anita anja anjali anke ann anna annabel annabelle annalisa annamaria anne annegret anneke anneliese
    annette annika anouk ansgar anthony antoine anton antonella antonia antonietta antonio anwen apolline araceli
    arisa arjun arlette armelle armin arnaud arnav arne arthur arturo assunta astrid aubin audrey augusta aurelia
    aurelie aurelio axelle babatunde baptiste barbara barbel barnabe barnaby barry bartholomew bartosz basile
    bastian bastien beate beatrice beatrix beatriz belen belinda benedetta benedikt benita benito benjamin benno
    benoit bernard bernardo bernd bertille bertrand bethany birgit birte bjorn blandine bodo bogdan brandon brenda
    brian brice bridget brigitte bronwyn brunella bryony budi burkhard caitlin calogero calum camila camilla camille
    candela carina carla carlo carlos carly carmela carmelo carmen carolina caroline carsten carys catalina caterina
    cecile cecilia cedric celia celine cerys cesar cesare chantal charlene charles charlotte cheikh cheryl chidi
    chinedu chloe christa christian christiane christina christine christoph christophe christopher ciara clara
    clarissa claudia claudine claudio clemence clemens clifford clive clotilde colette colin concetta connor
    constanze coralie cordula corentin corinna corinne cormac cornelia cornelius corrado cosimo cristiano cristina
    cuthbert cynthia cyprien damiano damien daniel daniela daniele danielle daphne dario darren darryl david davide
    deborah deepak deirdre delilah delphine denis denise dennis derek desmond detlef dewi diana didier diego dieter
    dietlinde dietmar dimitri dinah dirk divya dmitri domenico dominic dominik dominique donald donatella donato
    donna doreen dorian doris dorothea dorothee dorothy douglas dwayne dwight dylan eamonn edeltraud edith edmond
    edmund edna edoardo edouard eduardo edward efrain egon eileen ekaterina ekkehard elaine eleanor elena eleonora
    elettra elfriede eliane elias elinor elisa elisabeth elisabetta elizabeth elke ellen elmar elodie eloise elsa
    elsie elvira emanuela emanuele emeka emeline emil emile emilia emilio emily emlyn emma emmanuel encarnacion enid
    enrico enrique erhard eric erica erich erik erika ermanno ernest ernestine ernst erwin esteban estelle esther
    ethan ethel etienne ettore euan eugen eugenia eugenie eugenio eunice eva evan evaristo evelyn evelyne ewald ewan
    fabian fabiana fabien fabio fabrice fabrizia fabrizio fanny farrukh fatima fatma fatou faustine federica
    federico felicie felipe felix ferdinand fermin fernand fernanda fernando filip filippo filomena finlay fiona
    fiorella firmin flavia flavie florent florentine florian florrie folake franca francesca francesco francine
    francis francisco francois francoise franz franziska freda frederic frederick frederique freya frieda friedemann
    friedhelm friedrich fritz fulvio gabriel gabriela gabriele gabrielle gael gaelle gaetan gaetano gareth gary
    gaspard gaurav gautier gavin gemma genevieve gennaro geoffrey georg george georges georgina gerald geraldine
    gerard gerardo gerda gerhard gerlinde germain gero gerold gertrud gesine gethin ghislaine giacomo giancarlo
    gianfranco gianluca gianmarco gianni gildas gilles gillian ginevra giorgia giorgio giovanna giovanni gisbert
    gisela giselle gislaine giulia giuliana giuliano giulio giuseppe giuseppina gladys glenys godfrey gonzalo gordon
    gottfried graciela graeme graham graziella greg gregoire gregor gregory greta grzegorz gudrun guido guillaume
    guillermo gundula gunnar gunter gunther gurpreet gustav gwen gwenaelle gwendolyn gwyneth gwynne hadrien hamish
    hamza hanna hannah hannelore hannes hans harald harold harpreet harriet harry hartmut hartwig haruto hassan
    hattie hayley hector hedwig heidemarie heidrun heike heiko heiner heinrich heinrike heinz helen helena helene
    helga helgard helge helmut hendrik henri henriette henrik henry hermann hermine herta herve hester hilary hilda
    hilde hildegard hippolyte hiroshi holger honorine horace horst hortense hubert hugh hugo humphrey huong hussein
    ian ibrahim ibrahima ifeoma ignacio igor ilaria ilka ilona ilse imogen inaki ines inga inge ingo ingrid inka
    inmaculada iona irene irina irmgard irmtraud irving isaac isabel isabella isabelle isaline isla isobel isolde
    ivan ivana ivano ivor jacek jacinto jacky jacob jacobo jacqueline jacques jaime jakob jakub james jamie jan jana
    jane janet janice janina janine jarvis javier jean jeanette jeanne jeff jeffrey jelena jemima jenna jennifer
    jenny jens jeremie jeremy jermaine jerome jessica jesus jihoon joachim joan joanna joanne joao joaquin joaquina
    jocelyn jocelyne jochen joel johan johann johanna johannes john jolanta jonas jonathan joon jorg jorge joris
    jorn jose josef josefa josefina joseline joseph josephine josette joshua josiane josie josselin juan juana
    judith jules julia julian juliana julie julien juliette julio jurgen justine justyna jutta kaitlyn kamil karen
    karim karin karina karine karl karla karlheinz karola karsten katarina katarzyna katharina katherine kathleen
    kathrin katja katrin katrina kavita keira keisha keith kelly kelsey kendra kenji kenneth kerry kerstin kevin
    khadija khalid kieran kilian kimberley kirsten kirsty klaus knut kofi konrad konstantin konstanze kristen
    kristin kristina krzysztof kurt kwame lachlan laetitia lakshmi lamar lamberto lars latoya laura lauren laurence
    laurent lavinia lea leandro leighton leila lena leon leona leonard leonardo leonie leonor leopold lesley leticia
    liam lidia lieselotte lilian lilou lina lindsay linh lionel lisa liselotte loic loredana lorena lorenzo loris
    lorna lorraine lothar louisa louise luca lucas lucette lucia luciana luciano lucie lucien lucienne lucinda
    lucrezia lucy ludovic ludovica ludwig luigi luigia luis luisa lukas luke luther lutz lydia lyndon lynn macarena
    maciej madeleine maelle maeve magali magalie magda magdalena magnus maike mairead malachi malcolm malo malte
    mamadou manfred manon manpreet manuel manuela marc marcel marcela marcelino marcella marcelle marcello marcin
    marco marcos marcus marek margaret margarete margarita margaux margery margherita margit margot maria mariam
    mariama mariangela marianne maribel marie mariella marielle marika marilyn mario marion marisa marisol marius
    mariusz marjolaine marjorie marko markus marlene marlies marlon marta martha marthe martial martin martina
    martine marvin mary maryam maryse massimo mateo mateusz mathias mathieu mathilde mathis matias matilda matteo
    matthew matthias matthieu mattia maud maureen maurice mauricio maurizia maurizio mavis maxence maxime maximilian
    mechthild megan mehmet meike meinhard melanie melina melissa melodie melvin meredith meryl michael michaela
    michal michel michela michelangelo michele michelle mickael miguel mikael mikhail mildred milena millicent
    millie minh minji mireille mirella miriam mirja mirko mohamed mohammad mohammed moira monica monika monique
    montserrat morag mordecai moritz moussa muhammad murat muriel mustafa myles myra myriam nadia nadine nadja naoko
    natacha natalia natalie natascha natasha nathalie nathan natividad neha nele neville ngozi nguyet nicholas nick
    nico nicola nicolas nicole nicolo niels nigel nikhil nikola nikolai nikolaus nils nina ninon nneka noah noemie
    nora norbert noreen nunzia obinna octavio odette odile olaf oleg olga oliver olivia olivier oluwaseun oluwatobi
    olwen omar oona ophelie oriane orietta orlaith ornella ortrud osbert oskar oswald ottavio ottmar otto ousmane
    owen pablo padraig paloma pamela paola paolo parveen pascale pascaline pasquale patricia patricio patrick
    patrizia patryk paul paula paulette paulina pauline paulino pavel pawel pedro penelope percival perpetua perrine
    peter petra philibert philine philip philipp philippa philippe phillip phoebe phyllis piera pierluigi piero
    pierre pierrette pietro piotr pooja pradeep priya putri quincy rachael rachel rafael rafal raffaele raffaella
    rahul rainer rajesh rakesh ralf ralph ramiro ramon ramona randall raphael raphaelle raquel raul rebecca rebekka
    regina reginald regine regino regis reiner reinhard reinhild reinhold remi renata renate renaud rene renzo
    rhiannon rhona rhys ricardo riccardo richard rita ritu robert roberta roberto rocco rocio roderick rodolfo
    rodrigo rogelio roger rohan roisin roland rolande rolf romain romane romina romuald ronald rosalia rosalie
    rosalind rosamund rosanna rosario rosaura rosemarie rossella roswitha rowena roxana roxane roy ruben rudiger
    rudolf rufus ruggero rupert russell ruth ryan sabina sabine sabrina sadie sakura salvatore samantha samira
    samuel samuele sandra sandrine sanjay saoirse sarah sascha saskia saverio sebastian sebastien segolene segun
    selina serge sergei sergio severin severine seydou sharon shauna sheena sheila shirley shreya sian sidonie
    siegbert siegfried sieglinde sigmar sigrid sigrun silas silke silvestre silvia silvio simon simona simone
    simonetta sinead siobhan siti slavko sneha sofie solange solene somchai sonia sonja sonke sophie stanislas
    stanislaw stefan stefania stefano steffen stephan stephane stephanie stephen stewart stuart sunil suresh susan
    susana susanita susanna susanne suzanne suzette sven svenja svetlana swantje sylvain sylvester sylvette sylvia
    sylvie tabea takashi tamara tamsin tanguy tania tanja tanya tatiana temitope teodora teodoro terence teresa
    thaddeus thea thekla thelma theobald theodor theodora theodore theophile theresa therese thibault thierry thomas
    thorsten thuy tiago tiffany tilo tim timothee timothy tina titouan tiziana tiziano tjark tobias toby tomas
    tomasz tommaso tony torben torsten tracy trang traudel trevor trisha tristan tristram tunde tyrone ubaldo uche
    ugo ulf ulla ulrich ulrike ulysse umberto umeh urbain ursula uta ute uwe valentin valentina valere valeria
    valerie valerio vanessa verena veronica veronika veronique vicenta vicente victorine vijay vikram viktor
    vincenzo virginie virginio vito vittorio vivian viviane vivienne vladimir volker waldemar walter waltraud
    waltraut wanda wendell wendy wenzel werner wiebke wilbur wilfred wilfried wilhelm wilhelmina wilhelmine wilma
    winfried winifred winnie wojciech wolfgang xaver xavier xaviere xiaoming ximena xiomara yago yann yannick yasmin
    yasmine yoann yolanda yuki yuko yusuf yves yvette yvon yvonne zacharie zachary zeke zoe zofia
    """
)

# Given names that are words, things, places or brands, too: only beside something that says a person is meant.
DOUBTFUL = words(
    """
    abby abel agus aida alex alma ama amara amber amparo amy anderson andy angel angeles annie archie armand art ash
    ashleigh auguste aurora austin ava awa axel barney basil bea becky belle ben bernie beth bettina betty bianca
    bill billy blake blas bob bobby brad brett brook brooke bruno bryan bud buddy cameron candy capucine carl carol
    carrie casey cat celeste chad charlie chase chelsea chester chiara china chris chuck claire clay clement cliff
    colt constance consuelo cooper courtney craig crystal cyril cyrus daisy dale dallas dan danny dawn dean delia
    dell delta dick dolly dolores don dora dot doug drew duc duke duncan dustin earl eddie eden edgar ella elliot
    elvis emmett ernie eve faith fang fay fergus fidel finn fleur flora flore florence ford fran france frank
    frankie fred freddie gabi gaston gay gene georgia gil gilbert ginger glen glenn gloria grace grant guy hank hao
    hardy harper harvey hazel heather heidi herb herman holly hope howard hunter ida imke iris israel ivy jack
    jackie jackson jade jamal jasmin jasmine jason jasper jay jem jerry jess jet jill jim jimmy jing jo job joe joey
    johnny jordan josh joy jude judy juliet jun june justin kai kara karma kate kathy katie kay ken kent kim kiran
    kit kitty kyle lan lance lane lara larry laurel lee leo leroy leslie lewis lexus lily lincoln linda logan lola
    lorenz lou louis luna lux mabel mac madison mai marceau marcia marcy margo marina mark marshall mason matt max
    maxi maxine may maya meera mei mel mercedes mercy merle mia mick mike milan miles mimi mina ming misty mitch
    molly morgan moses nancy naomi nat neil nell nelson neo nettie nieves noel norma norman nova octave oda olive
    olympe ora orla oscar otis paige paris parker pascal pat patience patty pearl peg peggy penny percy perry petal
    pete phil pilar pip polly poppy porter prince prudence prune queen quentin quinn rae randy ravi ray raymond red
    reed remedios rex rich rick ricky ridge river rob robbie robin rocky rod roman ron ronnie rory rosa rose
    rosemary ross rowan ruby rusty sally sam sampson sandy santa santiago santos sara saul savannah scarlett scott
    sean serena serenity seth shane shannon shaun shelby sidney sienna sierra skip sky skye sofia sol soledad
    solomon sonny soo sophia spencer stan stanley star stella steve steven stew sue summer sunny sybil sydney tab
    tabitha tara taylor ted teddy terra terry tess theo tom tommy tori tracey tray trinity troy tucker tulip tyler
    ulli urbano val valentine van vega vera verity vernon vi vic victoire victor victoria vincent viola violet
    virginia viv wade wallace wally ward warren wayne wes wesley will willow winston wolf-dieter woody yaw zara
    zelda
    """
)

# Surnames; they count beside a given name, an initial or a title.
SURNAMES = words(
    """
    adams albrecht allen alonso alvarez andersen andersson arnold bailey baker barbieri barnes bauer baumann
    beck becker bell bennett berg berger bergmann bernard bertrand bianchi blanc blanco bonnet brandt braun
    brooks brown bruno butler campbell carter castillo castro chen christensen clark clarke collins colombo
    conti cook costa cruz davies davis delgado deluca diaz dietrich dominguez dubois dupont durand edwards engel
    esposito evans fabre ferrari fernandez fischer fisher fontaine foster fournier franke fuchs gallo garcia
    garnier gauthier gil girard giordano gomez gonzales gonzalez graf gray greco green griffin gross gruber
    guerin guerra gupta gutierrez haas hahn hall hansen harris hartmann heinrich henry hernandez herrmann hill
    hoffmann hofmann horn howard huber hughes iglesias jackson jager jansen jansson jenkins jensen jimenez
    johansson johnson jones jung kaiser kaminski keller kelly khan king klein koch kohler konig kowalczyk
    kowalski kraus krause kramer kruger kuhn kumar lambert lang lange lefebvre legrand lehmann leroy lewandowski
    lewis lombardi lopez lorenz ludwig maier mancini mariani marino marques martinelli martinez mayer mazur
    meier mercier meyer miller mitchell molina moller moore morales moreau morel moreno moretti morgan morris
    muller munoz murphy murray navarro nelson neumann nguyen nielsen novak nowak nunez obrien oconnor olsen
    ortega ortiz parker patel perez perrin petersen peterson pfeiffer phillips pohl popov powell price ramirez
    ramos reed reyes ricci richter rinaldi rivera rizzo roberts robinson robin rodriguez rogers romano romero
    ross rossi rousseau roux rubio ruiz russo sanchez sanders santoro santos sanz sauer schafer schmid schmidt
    schmitt schmitz schneider scholz schreiber schroder schubert schulte schulz schulze schumacher schuster
    schwarz seidel serrano shah sharma silva simmons simon singh smith sommer stein stewart suarez sullivan
    svensson taylor thomas thompson torres turner vargas vazquez vidal villa vincent vogel vogt wagner walker
    walter wang ward watson weber weiss werner white williams wilson winkler winter wisniewski wolf wolff wong
    wright young zhang ziegler zimmermann
    """
)

# Words with a capital that are no names, where a rule would take a capital for one.
NO_NAME = words(
    """
    tracking page status
    manual supplier sticker sensor display screen boss engineer lab everybody everyone nobody rumor rumour script
    amazon seller vendor website app email letter invoice receipt instructions description listing leaflet tag sign
    courier driver carrier neighbour neighbor wife husband mother father son daughter friend inspector chef meister
    a about after all also an and any april are as at august back bad bar batch because before black blue both
    bottom box brown but by can cannot case cell change check code cold color colour company conveyor could
    customer damage damaged date day days december defect delivery department desk do dock does early error
    everything fail february first floor for friday from front gauge gmbh gold good green grey group has have he
    hello help her here hi him his hold hot hour how i if in inc inspection inspector into is it item january
    job july june just label last late left lid like line list local lot ltd machine maintenance manager march
    may me mine missing model monday morning my never new next night no none not note november now number
    october of off office ok okay old on one only operator or orange order our out over pallet part parts pass
    pictures please police product production quality quantity queue red return right sales saturday second
    september serial service she shift ship shop side silver since site size sku small some somebody someone
    sorry spare station still store stop sunday supervisor support system team thank thanks that the their them
    then there they thing this thursday to today tomorrow tonight tool top tuesday unit until up urgent us use
    using visual warehouse warning was we wednesday week what when where which white who why will with work
    yellow yes yesterday yet you your zone der die das den dem des ein eine einen einem einer und oder aber
    nicht kein keine ist sind war waren hat haben wird bitte danke hallo artikel bestellung lieferung paket
    kunde kundin firma linie schicht nachtschicht spätschicht frühschicht halle werk lager maschine prüfung
    qualität montag dienstag mittwoch donnerstag freitag samstag sonntag heute morgen gestern januar februar
    märz mai juni juli oktober dezember ich du er sie es wir ihr mit von aus bei nach für guten tag liebe grüße
    le la les un une de et ou mais pas est sont était commande colis client livraison ligne équipe nuit jour
    matin lundi mardi mercredi jeudi vendredi samedi dimanche janvier février avril juin juillet août septembre
    octobre novembre décembre bonjour merci je tu il elle nous vous ils elles avec pour par sur lo gli uno una e
    o ma non ordine pacco cliente consegna linea turno notte giorno lunedì martedì mercoledì giovedì venerdì
    sabato domenica gennaio febbraio marzo aprile maggio giugno luglio settembre ottobre dicembre grazie
    buongiorno io lui lei noi voi loro con per da su el los las unos unas y pero son era pedido paquete entrega
    línea noche día lunes martes miércoles jueves viernes sábado domingo enero febrero abril mayo junio julio
    agosto septiembre octubre noviembre diciembre gracias hola yo nosotros por para sobre
    """
)


def either(phrases: str) -> str:
    """Patterns written on lines and between bars, as one pattern."""
    return "|".join(one.strip() for one in phrases.replace("\n", "|").split("|") if one.strip())


# What stands before a name. A title may have a dot; the longer ones come first where one begins another.
TITLES = either(
    r"""
    mister|misses|mistress|mrs|mr|ms|miss|mx|dr|professor|prof|doctor|sir|madam
    herrn|herr|frau|fräulein|hr|frl
    monsieur|madame|mademoiselle|messieurs|mme|mlle|maître
    signora|signorina|signore|signor|sig\.?ra|sig\.?na|sig|dott\.?ssa|dott|ing|avv
    señora|señorita|señor|sra|srta|sr|doña|don
    """
)
# Titles that are words of their own in small letters ("12 ms", "we miss a label") need their capital.
SMALL_TITLES = words(
    """
    mister mrs mr dr prof professor doctor herr herrn frau fräulein monsieur madame mademoiselle signora
    signorina signore signor señora señorita señor doña mme mlle
    """
)
INTRODUCTIONS = either(
    """
    my name is|my name['’]s|the name is|i am called|they call me|mein name ist|ich heiße|ich heisse|je m['’]appelle
    mon nom est|mi chiamo|il mio nome è|me llamo|mi nombre es|mijn naam is|ik heet
    """
)
GREETINGS = either(  # and what people say of themselves
    """
    this is|i['’]m|i am|it['’]s|hier ist|hier spricht|ich bin|ici|je suis|c['’]est|sono|soy|ik ben
    hi|hello|hey|dear|liebe|lieber|hallo|bonjour|chère|cher|cara|caro|ciao|querida|querido|estimada|estimado|hola
    """
)
FAREWELLS = either(
    """
    (?:kind|best|warm|many)? ?regards|sincerely(?: yours)?|yours(?: sincerely| truly| faithfully)?|cheers|many thanks
    thanks|thank you|best(?: wishes)?|mit freundlichen grüßen|mit freundlichen gruessen|freundliche grüße|viele grüße
    beste grüße|liebe grüße|gruß|grüße|mfg|lg|vg|cordialement|bien à vous|salutations(?: distinguées)?
    cordiali saluti|distinti saluti|saluti|un saludo|saludos(?: cordiales)?|atentamente|gracias|merci|danke|grazie
    signed|unterzeichnet|signé|firmato|firmado
    """
)
FIELDS = either(
    """
    (?:full |customer |first |last |contact |recipient )?name|customer|recipient|consignee|addressee|receiver|sender
    shipper|from|to|ship(?:ped)? to|deliver(?:ed|y)? to|sold to|bill to|attn|attention|contact|signature|inspector
    operator|employee|driver|reported by
    (?:signed|inspected|checked|reviewed|packed|released|approved|written)(?: off)? by
    empfänger(?:in)?|absender(?:in)?|vorname|nachname|kundin|kunde|unterschrift|prüfer(?:in)?|ansprechpartner(?:in)?
    destinataire|expéditeur|nom|prénom|cliente?|destinatario|mittente|nome|cognome|remitente|nombre|apellidos?
    """
)
FOR_WHOM = either(
    r"""
    attn\.?|attention of|c/o|care of|ship to|deliver to|z\. ?hd\.?|zu händen(?: von)?|à l['’]attention de
    alla c\.?a\.?|all['’]attenzione di|a la atención de|att\.ne|t\.a\.v\.
    """
)
# A name may follow these.
PERSONS = words(
    """
    ask asked tell told inspector operator colleague colleagues supervisor foreman driver courier employee
    coworker manager technician worker associate kollege kollegin kollegen mitarbeiter mitarbeiterin fahrer
    fahrerin schichtleiter schichtleiterin prüfer prüferin collègue chauffeur livreur opérateur opératrice
    collega operatore operatrice autista compañero compañera repartidor conductor husband wife son daughter
    brother sister neighbour neighbor mother father friend nachbar nachbarin mari femme marito moglie marido
    esposa vecino vecina postman
    """
)
PARTICLES = words(
    """
    de da di do dos du del della der den von van zu zum la le lo bin ben al el y of
    """
)
# Given names that are places, too.
PLACES = words(
    """
    paris austin dallas sydney florence chelsea victoria georgia virginia lincoln madison israel china sienna
    jackson lane troy cleveland chester houston kent santiago milan vienna savannah jordan lourdes
    """
)
BESIDE = words(
    """
    by with and for via from to von mit und für bei par avec et pour chez da con per por para y
    """
)
NOT_BESIDE_PLACES = words(
    """
    by with and mit und par avec et con y
    """
)
COMPANY = words(
    """
    ag bv co company corp corporation ev gmbh group inc kg kgaa limited llc llp ltd mbh nv ohg oy ab plc sa sarl
    sas se sl slu spa srl ug logistics logistik warehouse depot fulfilment fulfillment store shop versand lager
    """
)
# What follows a number of five digits and is no town.
COUNTED = words(
    """
    stück stk pcs pieces units cycles parts pièces pezzi piezas einheiten boxes cartons labels items hours
    stunden
    """
)
SAYS_PHONE = either(
    r"""
    phone|telephone|tel|mobile|mob|cell|call(?: me| us)?(?: back)?(?: on| at)?|ring(?: me)?(?: on| at)?
    text(?: me)?(?: on| at)|whatsapp|fax|reach(?: me| us)? (?:on|at)|telefon|telefonnummer|handy|mobil|rufnummer|anrufen
    téléphone|tél|portable|appelez(?:-moi)?(?: au)?|joindre au|telefono|cellulare|chiamare|chiamatemi(?: al)?
    teléfono|tfno|móvil|llámame al|llamar al
    """
)
SAYS_PARCEL = either(
    """
    tracking|track|parcel|shipment|consignment|awb|waybill|sendungs|sendung|paket|suivi|colis|spedizione|tracciamento
    seguimiento|envío
    """
)
SAYS_PERSON = either(
    """
    customer|client|account|membership|member|loyalty|passport|kunden|konto|ausweis|cliente
    """
)
SAYS_NUMBER = "number|nummer|code|id|no|nr|num|numéro|numero|número"
# What stands before a name in a sentence, and what a person does right after theirs.
SPOKEN_WITH = either(
    """
    spoke (?:with|to)|spoken (?:with|to)|talked (?:with|to)|talk to|speak to|according to|ask for|asked for|met with
    (?:reviewed|checked|signed|released|inspected|passed|approved|packed|written|reported|handled|served)(?: off)? by
    geprüft von|unterschrieben von|gesprochen mit|laut|signé par|contrôlé par|parlé avec|selon|firmato da|parlato con
    secondo|firmado por|hablé con|según
    """
)
SAYS = either(
    """
    says|said|thinks|told me|told us|called in|noticed|promised|swears|reckons|hat gesagt|sagt|meint|a dit|dit que
    ha detto|dice che|dice que|dijo
    """
)
