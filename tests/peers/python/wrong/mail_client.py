"""Mail clients, right ones and some with the mistakes of beginners: mail_client.py KIND PORT"""

import smtplib
import socket
import sys

kind, port = sys.argv[1], int(sys.argv[2])
TEXT = "From: ada@example.org\r\nSubject: a test\r\n\r\n.This line begins with a dot\r\n"

if kind == "smtplib":
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as smtp:
        smtp.sendmail("ada@example.org", "bob@example.org", TEXT)
    sys.exit()

connection = socket.create_connection(("127.0.0.1", port), timeout=20)
stream = connection.makefile("rb")


def answer():
    if kind == "recv":
        text = connection.recv(1024).decode()
        return text[:1] in "23"
    while True:
        line = stream.readline().decode()
        if line == "":
            sys.exit("the server has ended")
        if line[3:4] != "-":
            return kind == "all_good" or line[0] in "23"


def say(line):
    connection.sendall((line + ("\n" if kind == "lf" else "\r\n")).encode())


if kind == "at_once":
    text = "HELO me\r\nMAIL FROM:<ada@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n"
    answer()
    connection.sendall((text + TEXT.replace("\r\n.", "\r\n..") + ".\r\nQUIT\r\n").encode())
    while connection.recv(1024):
        pass
    sys.exit()

brackets = "%s" if kind == "no_brackets" else "<%s>"
words = ["HELO me", "MAIL FROM:" + brackets % "ada@example.org", "RCPT TO:" + brackets % "bob@example.org", "DATA"]
good = answer()
for word in words:
    if good:
        say(word)
        good = answer()
if good:
    stuffed = TEXT if kind == "one_dot" else TEXT.replace("\r\n.", "\r\n..")
    connection.sendall(stuffed.encode())
    if kind != "no_end":
        connection.sendall(b".\r\n")
    answer()
if kind != "no_quit":
    say("QUIT")
    answer()
connection.close()
