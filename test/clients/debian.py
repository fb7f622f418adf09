"""What scripts with requests (Debian: python3-requests) send: python3 debian.py URL"""
import sys

import requests

url = sys.argv[1]
user = {"username": "admin@example.com", "password": "four wide purple boats"}
s = requests.Session()


def done(response, status):
    assert response.status_code == status, (response.request.method, response.url, response.status_code, response.text)
    return response


# A path without its closing slash is redirected, and the method kept.
tokens = done(s.post(url + "/api/token", json=user), 200).json()
done(s.post(url + "/api/token", data=user), 200)
s.headers["Authorization"] = "Bearer " + tokens["access"]
new = {"email": "py@example.com", "password": user["password"], "first_name": "P", "last_name": "Y"}
made = done(s.post(url + "/api/users", json=new), 201).json()
one = "%s/api/users/%s" % (url, made["id"])
tag = done(s.get(one), 200).headers["ETag"]
done(s.patch(one, json={"first_name": "Q"}, headers={"If-Match": "W/" + tag}), 200)
done(s.patch(one, json={"first_name": "R"}, headers={"If-Match": tag}), 412)
done(s.delete(one), 204)
