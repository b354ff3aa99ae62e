import os

os.system("id > /tmp/forged-setup")
